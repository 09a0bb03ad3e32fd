# The app with the bundled model in one container. `docker build -t next-token . && docker run -p 8501:8501 next-token`
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1

# No root privileges. Hugging Face Spaces run containers as user 1000.
RUN useradd --create-home --uid 1000 app && install -d -o app /rooms
WORKDIR /app

# The CPU build of torch, at the pinned version: the one on PyPI includes gigabytes of CUDA libraries.
COPY requirements.txt .
RUN pip install --index-url https://download.pytorch.org/whl/cpu "$(grep '^torch==' requirements.txt)" \
    && pip install -r requirements.txt

# Owned by root, read-only for the app.
COPY .streamlit .streamlit
COPY engine engine
COPY pages pages
COPY app.py LICENSE ./

USER 1000
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=3)"]
CMD ["python", "-m", "pages", "--server.address=0.0.0.0", "--server.port=8501"]
