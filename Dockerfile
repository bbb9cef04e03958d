# The service, the worker and the command line: one image, three uses.
#   docker build -t zhenxue .
#   docker run --rm zhenxue pack list

# By version, and by the digest of its index for all machines; how to renew both is in
# docs/deploy/release.md. A registry of one's own is another BASE.
ARG BASE=python:3.11.16-slim-bookworm@sha256:0bee7276f83efd4a1ee05bbbf4281d95ed28e079220a9457f25a93e3f1e3c31b

FROM ${BASE} AS packages
# requirements-cluster.lock: the same with Dask, for a night on a cluster.
ARG LOCK=requirements.lock
WORKDIR /src
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
RUN python -m venv --without-pip /opt/zhenxue
COPY ${LOCK} ./
COPY vendor ./vendor
RUN python -m pip --python /opt/zhenxue/bin/python install --require-hashes --find-links vendor \
    -r ${LOCK}

FROM packages AS build
COPY pyproject.toml README.md LICENSE ./
COPY detectors ./detectors
COPY models ./models
COPY migrations ./migrations
COPY app ./app
RUN python -m pip --python /opt/zhenxue/bin/python install --no-deps --no-build-isolation \
    --ignore-installed --prefix /opt/app .

FROM ${BASE}
LABEL org.opencontainers.image.title="Zhenxue 真学" \
      org.opencontainers.image.description="Whether online class-hours were really studied" \
      org.opencontainers.image.licenses="Apache-2.0"
# Nothing is installed in a running container, so nothing that installs is left in it.
RUN python -m pip uninstall --yes --quiet --root-user-action ignore pip setuptools wheel \
    && useradd --uid 10001 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin zhenxue \
    && install --directory --owner zhenxue --group zhenxue --mode 0750 /data
COPY --from=packages /opt/zhenxue /opt/zhenxue
# Apart from what it needs: a new version is a layer of a few megabytes.
COPY --from=build /opt/app /opt/zhenxue
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
# Not urllib.request: it would ask a proxy that the environment names.
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=4 \
    CMD ["python", "-c", "import os; from http.client import HTTPConnection as to; it = to('127.0.0.1', int(os.environ['ZHENXUE_PORT']), timeout=4); it.request('GET', '/healthz'); raise SystemExit(it.getresponse().status != 200)"]
ENTRYPOINT ["zhenxue"]
CMD ["serve"]
