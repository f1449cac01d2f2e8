# The image: the server with its default environment, and nothing else. There is no shell in it, no
# package manager, and no interpreter but the one that cells run.
#
#     docker build -t cellblock .
#
# BASE: a Debian with Rust, on which everything is built. Its Python becomes that of the cells.
# PROGRAM: `compiled`, from the sources here, or `prebuilt`, as it lies in target/release.

ARG BASE=rust:1.95-slim-trixie

FROM ${BASE} AS build
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
        ca-certificates gcc libc6-dev python3 python3-pip python3-venv \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY . .
ARG PROGRAM=compiled
RUN if [ "$PROGRAM" = compiled ]; then \
        cargo build --release --locked --package cellblock --package cellblock-zygote; \
    fi
RUN deploy/docker/root /image

FROM scratch
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="cellblock" \
      org.opencontainers.image.description="Runs Python that nobody trusts" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /image/ /
# Docker and Cloud Run kill a container ten seconds after they ask it to end.
ENV HOST=0.0.0.0 \
    PORT=8080 \
    CELLBLOCK_STATE_DIR=/var/lib/cellblock \
    CELLBLOCK_PYTHON=as-built \
    CELLBLOCK_DRAIN_SECONDS=9
EXPOSE 8080
USER 10001:10001
HEALTHCHECK --interval=10s --timeout=6s --start-period=20s --retries=3 \
    CMD ["/usr/local/bin/cellblock", "health"]
ENTRYPOINT ["/usr/local/bin/cellblock"]
CMD ["serve"]
