# The broker and the `barnabas` tool in one small image: docker build -t barnabas .
FROM rust:1.95-slim-bookworm AS build
WORKDIR /source
COPY . .
RUN cargo build --release --locked --bins -p barnabas-broker -p barnabas-client

FROM debian:bookworm-slim
RUN useradd --system --home-dir /data --create-home --shell /usr/sbin/nologin barnabas
COPY --from=build /source/target/release/barnabas-broker /source/target/release/barnabas /usr/local/bin/
COPY config/server.toml /etc/barnabas/server.toml
USER barnabas
VOLUME /data
# The environment wins over the file; every setting can be given as KAFKA_<KEY WITH UNDERSCORES>.
ENV KAFKA_LOG_DIRS=/data KAFKA_METRICS_LISTENERS=:9404
EXPOSE 9092 9404
HEALTHCHECK --interval=2s --timeout=3s --start-period=10s CMD ["bash", "-c", "\
exec 3<>/dev/tcp/127.0.0.1/9404 && printf 'GET /readyz HTTP/1.1\\r\\n\\r\\n' >&3 && head -n 1 <&3 | grep -q ' 200 '"]
ENTRYPOINT ["barnabas-broker"]
CMD ["start", "--config", "/etc/barnabas/server.toml"]
