# One image for every process of Paydeck; docker-compose.yml says which runs where.
FROM python:3.11-slim AS built
WORKDIR /srv/paydeck
COPY requirements.txt requirements-node.txt ./
RUN python -m venv .venv \
    && .venv/bin/pip install --no-cache-dir --require-hashes -r requirements.txt \
    && python -m venv /tmp/node \
    && /tmp/node/bin/pip install --no-cache-dir --require-hashes -r requirements-node.txt
COPY package.json package-lock.json .npmrc ./
COPY scripts scripts
COPY static static
RUN /tmp/node/bin/python scripts/vendor.py

FROM python:3.11-slim
RUN useradd --system --create-home --home-dir /home/paydeck paydeck \
    && mkdir -p /var/lib/paydeck && chown paydeck:paydeck /var/lib/paydeck
WORKDIR /srv/paydeck
COPY --from=built /srv/paydeck/.venv .venv
COPY . .
COPY --from=built /srv/paydeck/static static
ENV PATH=/srv/paydeck/.venv/bin:$PATH PYTHONUNBUFFERED=1 PAYDECK_DATA=/var/lib/paydeck
USER paydeck
EXPOSE 8000 8001 8002
CMD ["python", "-m", "granian", "--interface", "asgi", "--http", "1", "--host", "0.0.0.0", "--port", "8000", "--workers", "2", "--no-ws", "--respawn-failed-workers", "--log-level", "warning", "wsgi:front"]
