"""Pre-tokenizer: splits text into pieces, and BPE merges only within a piece.

English has spaces between words, Chinese does not. Without further rules, BPE merges Chinese function words and verbs
with the characters after them (真好, 是一, 喝水), and a model that has only seen 真好 as one token cannot predict 好 after
a prompt that ends in 真. So the characters of `SINGLES` are separate pieces unless they are part of one of `WORDS`:

    >>> pieces("今天天氣真好，我們喝水。")
    ['今天天氣', '真', '好', '，', '我們', '喝', '水', '。']
    >>> pieces("It's 2026, ChatGPT said:")
    ['It', "'s", ' ', '2', '0', '2', '6', ',', ' ChatGPT', ' said', ':']

In the other pieces (今天天氣) BPE learns words by itself: 今天, 天氣. This is not a word segmenter; both lists are short
and written by hand.
"""

from __future__ import annotations

from tokenizers import Regex, pre_tokenizers

SINGLES = (
    "的了是很真太最更也都就還又在有沒不我你妳您他她它這那一二三四五六七八九十百千萬兩幾第"
    "把被讓給跟和與或但而因所為之其於以及並且若則即使將再才只總常該應請問呢嗎吧啊呀喔哦啦"
    "隻個種門本杯條張位件次年月日號點元塊碗雙朵棵輛座間頭匹"
    "說吃喝買看聽玩去來走跑飛叫做寫讀想要會能可愛用到從對向上下裡外中前後好帶穿拿打開坐住"
    "每某各些著過得地"
)

WORDS = (
    "我們 你們 妳們 他們 她們 它們 咱們 我國 這個 那個 這些 那些 這樣 那樣 這裡 那裡 這麼 那麼 這是 哪裡 這種 那種 這次 "
    "一些 一樣 一起 一定 一直 一般 一下 一點 一切 一旦 第一 之一 一般 統一 萬一 十分 四季 三角 百貨 千萬 百分 "
    "因為 所以 但是 可是 還是 只是 就是 於是 或是 要是 總是 都是 不是 也是 而是 而且 並且 以及 如果 雖然 然而 因此 因而 或者 還有 "
    "沒有 所有 有些 有人 有時 有時候 只有 擁有 有趣 有名 有關 具有 有效 享有 沒關係 沒錯 "
    "不過 不同 不錯 不能 不會 不要 不用 不可 不可以 不管 不斷 不好 不知 不如 不再 不見 不必 不但 不得 對不起 不好意思 "
    "什麼 為什麼 怎麼 怎麼樣 多麼 作為 認為 以為 成為 行為 因為 為了 稱為 "
    "現在 正在 存在 在於 所在 實在 自在 內在 真正 真的 真是 認真 真實 天真 太陽 太太 太空 最近 最後 最好 更加 更多 "
    "可以 可能 可愛 可怕 可惜 許可 認可 能力 能夠 功能 性能 智能 能量 能源 才能 只能 可能性 萬能 機能 "
    "會議 社會 機會 學會 委員會 會員 立法院 協會 國會 只要 需要 主要 重要 想要 要求 必要 要是 快要 要不要 "
    "應該 應用 反應 對應 適應 回應 應當 使用 利用 作用 運用 費用 用戶 有用 採用 通用 信用 "
    "得到 覺得 獲得 值得 記得 懂得 變得 取得 使得 看到 聽到 想到 遇到 收到 找到 達到 感到 直到 受到 做到 回到 來到 遲到 "
    "地方 地區 土地 地球 地點 當地 基地 地上 地下 地圖 地位 地震 各地 外地 目的 目的地 的確 的話 "
    "以前 以後 以上 以下 以外 以來 可以 以便 加以 得以 所謂 所得 場所 "
    "早上 晚上 上午 下午 上課 下課 上學 放學 上班 下班 上面 下面 馬上 身上 世上 上次 下次 上網 線上 上述 以上 上來 下來 上去 下去 天下 樓上 樓下 路上 山上 手上 "
    "裡面 外面 中間 前面 後面 從前 之前 之後 以後 然後 後來 最後 目前 前天 後天 面前 今後 前往 提前 中午 中心 中國 其中 中央 集中 家中 空中 高中 國中 中文 當中 外國 另外 此外 意外 戶外 國外 "
    "出來 出去 回來 回去 過來 過去 起來 進來 進去 原來 本來 從來 未來 將來 來自 看來 越來越 近來 帶來 醒來 去年 "
    "今年 明年 每年 年級 青年 少年 新年 過年 年輕 年齡 老年 近年 多年 生日 今日 明日 日子 日本 每日 日期 節日 假日 昨日 月亮 月球 每月 歲月 個月 個人 個別 "
    "看見 看書 好看 看法 觀看 看看 聽說 聽見 好聽 說話 說明 說法 小說 傳說 據說 雖說 說道 吃飯 好吃 小吃 好喝 好玩 玩具 玩耍 購買 買賣 叫做 做法 做事 做飯 "
    "好像 好多 好久 好好 好朋友 你好 您好 大家好 愛好 友好 美好 良好 只好 剛好 最好 幸好 好奇 好心 好處 早安 "
    "喜愛 熱愛 親愛 愛心 愛情 戀愛 想法 思想 理想 夢想 想像 感想 幻想 走路 飛機 跑步 起飛 讀書 閱讀 寫作 寫字 編寫 "
    "對於 對話 面對 針對 反對 對方 對象 對面 絕對 相對 從事 自從 方向 向來 趨向 導向 "
    "部門 門口 專門 熱門 大門 本身 基本 根本 書本 成本 版本 文本 日本 資本 種類 各種 一種 位置 單位 各位 座位 學位 數位 條件 文件 事件 案件 軟體 硬體 次數 層次 號碼 問題 請問 疑問 訪問 學問 質詢 問候 詢問 "
    "提供 給予 交給 還給 送給 將近 即將 而已 即使 使得 大使 再見 再次 不再 剛才 總統 總共 總是 總理 經常 非常 常常 平常 正常 日常 通常 常見 "
    "過程 經過 通過 透過 超過 過度 難過 不過 沿著 跟著 隨著 接著 為著 "
    "時間 空間 期間 房間 民間 人間 中間 之間 夜間 石頭 頭髮 骨頭 木頭 點頭 口頭 舌頭 "
    "開始 開心 打開 離開 公開 展開 分開 開車 開放 開發 開會 打算 打球 打電話 打掃 坐下 居住 住在 記住 站住 穿著 "
    "各位 各種 各國 每天 每個 每次 某些 哪些 有些 應該 本院 本席 與其 其他 其實 其它 尤其 參與 給付 "
    "第一次 一個 一隻 "
).split()

# Excluded: words that would merge the token predicted in a lesson with its neighbour.
# Sorted by descending length, so that the regular expression prefers the longest word.
WORDS = sorted(
    {word for word in WORDS if word not in {"一個", "一隻", "一種", "這是", "第一次"}}, key=lambda w: (-len(w), w)
)

CJK_PUNCTUATION = "，。、；：？！「」『』（）《》〈〉【】〔〕．・…—～－“”‘’"

_words = "|".join(WORDS)
PATTERN = "|".join(
    [
        f"(?:{_words})",
        f"[{SINGLES}]",
        rf"(?:(?!{_words})[\p{{Han}}&&[^{SINGLES}]])+",
        "……|——",
        f"[{CJK_PUNCTUATION}]",
        r"'(?:s|t|re|ve|m|ll|d)(?!\p{L})",
        r" ?[\p{L}\p{M}&&[^\p{Han}]]+",
        r"\p{N}",
        rf" ?[^\s\p{{L}}\p{{M}}\p{{N}}{CJK_PUNCTUATION}]+",
        r"\n",
        r"[^\S\n]+(?!\S)",
        r"[^\S\n]+",
    ]
)


def splitter() -> pre_tokenizers.PreTokenizer:
    """Pre-tokenizer of the BPE tokenizer: split by PATTERN, then map bytes to the alphabet of byte-level BPE."""
    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PATTERN), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )


def pieces(text: str) -> list[str]:
    """Pieces of a text, without the mapping of bytes."""
    return [piece for piece, _ in pre_tokenizers.Split(Regex(PATTERN), behavior="isolated").pre_tokenize_str(text)]
