# One image for every process; the command says which: migrate, watch, relay, reconcile, beat, worker prepare, worker infer.
# The CUDA build of torch replaces the CPU one with --build-arg TORCH_INDEX=<index of the CUDA wheels>.
FROM python:3.11-slim-bookworm

ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu

ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1 \
    DOCVIGIL_HOME=/var/lib/docvigil \
    DOCVIGIL_LOG_FORMAT=json

RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/docvigil docvigil

WORKDIR /opt/docvigil
COPY pyproject.toml constraints.txt README.md ./
COPY docvigil docvigil
COPY pipeline pipeline
COPY models models
COPY records records
COPY ingest ingest
COPY workers workers
COPY migrations migrations
RUN pip install --constraint constraints.txt --extra-index-url "${TORCH_INDEX}" .

USER docvigil
ENTRYPOINT ["docvigil"]
CMD ["--help"]
