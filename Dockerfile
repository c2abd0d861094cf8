# The server, its worker and `migrate`: one image. `compose.yaml` runs it with all that it needs.
# What it must be told is in .env.example; it writes nothing but /dev/shm and /tmp, so its root may be read-only.
FROM python:3.11-slim-bookworm AS build
WORKDIR /srv/voicechat
RUN python -m venv /srv/venv
COPY requirements.lock .
# Wheels alone: nothing is compiled, and no compiler is needed. By hash, so that two builds a year apart are the same.
RUN /srv/venv/bin/pip install --no-cache-dir --disable-pip-version-check --only-binary :all: --require-hashes -r requirements.lock

FROM python:3.11-slim-bookworm
ENV PATH=/srv/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
WORKDIR /srv/voicechat
COPY --from=build /srv/venv /srv/venv
COPY . .
# Nobody in particular, and owner of nothing here: what is run cannot be changed by who runs it.
USER 10001:10001
EXPOSE 3300
# Whether the process lives; whether it is ready is /readyz, which no restart heals (docs/operating.md).
HEALTHCHECK --interval=10s --timeout=15s --start-period=30s --retries=3 CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ.get('PORT') or 3300}/healthz\", timeout=14)"]
CMD ["python", "-m", "voicechat"]
