# One image for every process; the command says which: migrate, watch, relay, reconcile, beat, worker prepare, worker infer,
# worker train, web.
#
# torch comes as its CPU build, 200 MB instead of several GB. A host with an NVIDIA card takes the CUDA build:
#   docker build --build-arg TORCH_INDEX=https://download.pytorch.org/whl/cu130 .
FROM python:3.11-slim-bookworm AS build

ENV PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1

RUN python -m venv /opt/docvigil
WORKDIR /src

# Third-party packages first, torch before all: these layers stay when only our code changes. pip takes a version with a
# local part (2.13.0+cpu) before the plain one of the package index.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
COPY constraints.txt ./
RUN /opt/docvigil/bin/pip install --constraint constraints.txt --extra-index-url "${TORCH_INDEX}" torch==2.13.0

COPY pyproject.toml README.md LICENSE ./
COPY docvigil docvigil
COPY pipeline pipeline
COPY models models
COPY records records
COPY ingest ingest
COPY workers workers
COPY web web
COPY migrations migrations
RUN /opt/docvigil/bin/pip install --constraint constraints.txt --extra-index-url "${TORCH_INDEX}" '.[train]'


FROM python:3.11-slim-bookworm

# The instance's folder is the only one that is written to, besides /tmp: the image may run read-only.
ENV PATH=/opt/docvigil/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HF_HUB_OFFLINE=1 \
    DOCVIGIL_HOME=/var/lib/docvigil \
    DOCVIGIL_LOG_FORMAT=json

RUN useradd --system --uid 10001 --user-group --create-home --home-dir /var/lib/docvigil docvigil

COPY --from=build /opt/docvigil /opt/docvigil

USER 10001
WORKDIR /var/lib/docvigil
VOLUME /var/lib/docvigil
STOPSIGNAL SIGTERM
ENTRYPOINT ["docvigil"]
CMD ["--help"]
