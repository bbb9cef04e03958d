# The service, the worker and the command line: one image, three uses.
#   docker build -t zhenxue .
#   docker run --rm zhenxue pack list

# By version. A release pins it by what it is, too: --build-arg BASE=python:3.11.14-slim-bookworm@sha256:…
ARG BASE=python:3.11.14-slim-bookworm

FROM ${BASE} AS build
WORKDIR /src
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/zhenxue
COPY requirements.lock ./
COPY vendor ./vendor
RUN /opt/zhenxue/bin/pip install --require-hashes --find-links vendor -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY detectors ./detectors
COPY models ./models
COPY migrations ./migrations
COPY app ./app
RUN /opt/zhenxue/bin/pip install --no-deps --no-build-isolation . \
    && /opt/zhenxue/bin/python -m compileall -q /opt/zhenxue/lib

FROM ${BASE}
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin zhenxue \
    && install --directory --owner zhenxue --group zhenxue --mode 0750 /data
COPY --from=build /opt/zhenxue /opt/zhenxue
ENV PATH=/opt/zhenxue/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    ZHENXUE_ENV=production \
    ZHENXUE_DATA_DIR=/data \
    ZHENXUE_HOST=0.0.0.0 \
    ZHENXUE_PORT=8000 \
    ZHENXUE_LOG_JSON=true
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=4 \
    CMD ["python", "-c", "import os, urllib.request as it; it.urlopen('http://127.0.0.1:' + os.environ['ZHENXUE_PORT'] + '/healthz', timeout=4)"]
ENTRYPOINT ["zhenxue"]
CMD ["serve"]
