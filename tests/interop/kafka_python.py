"""kafka-python: 300 records with each of five codecs, read back by assignment and compared."""

import sys

from kafka import KafkaConsumer, KafkaProducer, TopicPartition

CODECS = [None, "gzip", "snappy", "lz4", "zstd"]
COUNT = 300


def produce(servers, topic):
    sent = set()
    for codec in CODECS:
        # Idempotence is this client's default today; said nothing of here on purpose.
        producer = KafkaProducer(bootstrap_servers=servers, compression_type=codec, acks="all")
        waiting = []
        for number in range(COUNT):
            value = f"{codec} {number}".encode()
            headers = [("codec", str(codec).encode())]
            key = str(number).encode()
            waiting.append(producer.send(topic, value=value, key=key, headers=headers))
            sent.add((key, value))
        producer.flush(60)
        for one in waiting:
            one.get(60)
        producer.close(30)
    return sent


def consume(servers, topic, expected):
    consumer = KafkaConsumer(bootstrap_servers=servers, group_id=None, enable_auto_commit=False)
    partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]
    consumer.assign(partitions)
    consumer.seek_to_beginning(*partitions)
    ends = consumer.end_offsets(partitions)
    seen = []
    while any(consumer.position(one) < ends[one] for one in partitions):
        for records in consumer.poll(timeout_ms=1000).values():
            offsets = [record.offset for record in records]
            assert offsets == sorted(offsets), offsets
            seen.extend((record.key, record.value) for record in records)
    consumer.close()
    assert len(seen) == len(set(seen)), "a record came twice"
    assert set(seen) == expected, "what came back is not what was sent"
    return len(seen)


servers, topic = sys.argv[1].split(","), sys.argv[2]
print(consume(servers, topic, produce(servers, topic)), "records came back")
