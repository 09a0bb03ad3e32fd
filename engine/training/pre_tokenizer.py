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
    "很多 景點 第二 第三 上海 最佳 最大 最高 最低 最小 提到 地址 是否 關於 由於 至於 用於 位於 屬於 等於 基於 終於 遊玩 中華 中山 "
    "年度 年代 門票 除了 了解 來說 來講 接下來 到底 原住民 百分之 多元 元素 元件 申請 請教 邀請 外交 外面 原則 規則 法則 否則 之外 之類 "
    "共和國 實際上 基本上 事實上 網路上 幾乎 有限 有效 涉及 重點 優點 缺點 觀點 特點 更新 億元 萬元 同一 很難 不足 不然 為何 為主 更好 好比 家裡 "
    "哪個 這邊 那邊 有點 有點兒 有沒有 是不是 會不會 能不能 好不好 不客氣 也許 上映 住宿 著名 沒辦法 有辦法 聯合國 主任委員 "
    "部會 員會 本書 好處 看起來 聽起來 想起 說服 解說 演說 學說 要點 地鐵 地理 土地 天地 草地 產地 用途 用品 用法 專用 使用者 用者 實用 "
    "過去 不過 經過 過程 得出 心得 難得 捨得 顯得 曉得 懂得 成果 結果 後果 如此 從而 反而 進而 既然 依然 突然 自然 當然 果然 仍然 "
    "向上 方向 面向 傾向 開啟 開幕 召開 公開 展開 開頭 街頭 鏡頭 帶領 攜帶 地帶 熱帶 打擊 打破 打造 打電話 坐車 走向 走過 飛行 跑道 買賣 "
).split()

# Excluded: words that would merge the token predicted in a lesson with its neighbour.
# Sorted by descending length, so that the regular expression prefers the longest word.
WORDS = sorted(
    {word for word in WORDS if word not in {"一個", "一隻", "一種", "這是", "第一次"}}, key=lambda w: (-len(w), w)
)

CJK_PUNCTUATION = "，。、；：？！「」『』（）《》〈〉【】〔〕．・…—～－“”‘’"

# Simplified forms of the characters above, so that both scripts are split alike.
_TO_SIMPLIFIED = str.maketrans(
    (
        "並來係個們傳傾億優兒內兩別則剛區協參員問啟單嗎國圖場塊夠夢學實寫將專對導層屬帶幾張後從愛應戀戶捨掃採擁擊據攜數斷於時曉書會條樓樣機歲氣沒為熱獲現產當發確碼種稱節級終結絕給統經網線編總聯聽與華萬處號裡見"
        "規親覺觀記訪許詢話該認說課請謂講議讀變讓貨買費資賣質購趨車軟輕輛辦這進遊運過達適遲還邊針錯鏡鐵門開間閱關陽際隨隻雖雙離難電領頭題類顯飛飯馬體髮麼點齡"
    ),
    (
        "并来系个们传倾亿优儿内两别则刚区协参员问启单吗国图场块够梦学实写将专对导层属带几张后从爱应恋户舍扫采拥击据携数断于时晓书会条楼样机岁气没为热获现产当发确码种称节级终结绝给统经网线编总联听与华万处号里见"
        "规亲觉观记访许询话该认说课请谓讲议读变让货买费资卖质购趋车软轻辆办这进游运过达适迟还边针错镜铁门开间阅关阳际随只虽双离难电领头题类显飞饭马体发么点龄"
    ),
)
ALL_SINGLES = "".join(dict.fromkeys(SINGLES + SINGLES.translate(_TO_SIMPLIFIED)))
ALL_WORDS = sorted({*WORDS, *(word.translate(_TO_SIMPLIFIED) for word in WORDS)}, key=lambda w: (-len(w), w))


def _any_of(words: list[str], group: int = 32) -> str:
    """Regular expression of any of the words; of those with the same first character, the order of the list counts.

    First characters are tried in groups, each after a look ahead: three times as fast as one by one.
    """
    endings: dict[str, list[str]] = {}
    for word in words:
        endings.setdefault(word[0], []).append(word[1:])
    alternatives = []
    firsts_in_order = sorted(endings)
    for at in range(0, len(firsts_in_order), group):
        firsts = firsts_in_order[at : at + group]
        group_words = "|".join(f"{first}(?:{'|'.join(endings[first])})" for first in firsts)
        alternatives.append(f"(?=[{''.join(firsts)}])(?:{group_words})")
    return "|".join(alternatives)


_words = _any_of(ALL_WORDS)
PATTERN = "|".join(
    [
        f"(?:{_words})",
        f"[{ALL_SINGLES}]",
        rf"(?:(?!{_words})[\p{{Han}}&&[^{ALL_SINGLES}]])+",
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
