"""confluent-kafka: 300 records with each of five codecs, read back by assignment and compared."""

import sys
import time

from confluent_kafka import Consumer, Producer, TopicPartition

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]
COUNT = 300
PATIENCE_S = 60


def produce(servers, topic):
    sent, failed = set(), []

    def delivered(error, message):
        if error is not None:
            failed.append(str(error))

    for codec in CODECS:
        producer = Producer({"bootstrap.servers": servers, "compression.type": codec,
                             "enable.idempotence": True})
        for number in range(COUNT):
            key, value = str(number).encode(), f"{codec} {number}".encode()
            producer.produce(topic, value, key, on_delivery=delivered,
                             headers=[("codec", codec.encode())])
            sent.add((key, value))
        assert producer.flush(PATIENCE_S) == 0, "records were not delivered"
    assert not failed, failed
    return sent


def consume(servers, topic, expected):
    consumer = Consumer({"bootstrap.servers": servers, "group.id": "unused",
                         "enable.auto.commit": False, "enable.partition.eof": False})
    known = consumer.list_topics(topic, timeout=PATIENCE_S).topics[topic].partitions
    consumer.assign([TopicPartition(topic, number, 0) for number in known])
    seen, end = [], time.monotonic() + PATIENCE_S
    while len(seen) < len(expected) and time.monotonic() < end:
        message = consumer.poll(1.0)
        if message is not None:
            assert message.error() is None, message.error()
            seen.append((message.key(), message.value()))
    consumer.close()
    assert len(seen) == len(set(seen)), "a record came twice"
    assert set(seen) == expected, "what came back is not what was sent"
    return len(seen)


servers, topic = sys.argv[1], sys.argv[2]
print(consume(servers, topic, produce(servers, topic)), "records came back")
