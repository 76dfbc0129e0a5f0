# The bridge as a container: see docs/container.md for how to run it and why it is made so.
ARG PYTHON_VERSION=3.13

FROM python:${PYTHON_VERSION}-slim AS build
WORKDIR /build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
COPY requirements/build.txt requirements/image.txt requirements/
# What has no wheel for a platform (PyYAML on arm/v7) is built by what is locked too, and without a compiler.
RUN pip install --require-hashes --no-deps -r requirements/build.txt \
    && pip wheel --require-hashes --no-deps --no-build-isolation --wheel-dir wheels -r requirements/image.txt
COPY pyproject.toml README.md LICENSE ./
COPY ts2mqtt ts2mqtt
RUN pip wheel --no-deps --no-build-isolation --wheel-dir wheels .
# A virtual environment, without pip: the base image's own packages are left as they are.
RUN python -m venv --without-pip /opt/ts2mqtt \
    && pip --python /opt/ts2mqtt install --no-index --no-deps wheels/*.whl


FROM python:${PYTHON_VERSION}-slim
ARG VERSION=0 REVISION=unknown
LABEL org.opencontainers.image.title="ts2mqtt" \
      org.opencontainers.image.description="Publishes what N.I.N.A.'s Target Scheduler plans and has done to MQTT" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /opt/ts2mqtt /opt/ts2mqtt
# No file is written but a sign of life in /tmp or /dev/shm: the bytecode is there already, what is retained lies on
# the broker.
ENV PATH=/opt/ts2mqtt/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
# A number and no name: Kubernetes can tell only from a number that it is not root.
USER 10001:10001
# config.yaml is read from here; a configuration may also come from the environment alone.
WORKDIR /config
# Reads the sign of life: a bridge that hangs is unhealthy after 70 s, and one whose broker is away is healthy.
HEALTHCHECK --interval=20s --timeout=10s --start-period=60s --start-interval=2s --retries=2 \
    CMD ["ts2mqtt", "healthcheck"]
ENTRYPOINT ["ts2mqtt"]
CMD ["run"]
