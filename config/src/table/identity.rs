//! Who this broker is.

use crate::setting::Setting;

pub(super) const SETTINGS: &[Setting] = &[
    Setting::int("broker.id", -1)
        .default("-1")
        .shipped("0")
        .high()
        .doc(
            "The broker's number in the cluster, also in `meta.properties` of every log directory; \
         another number there stops the broker. -1 takes the one that is there, or has ZooKeeper \
         hand out a new one above `reserved.broker.max.id`.",
        ),
    Setting::boolean("broker.id.generation.enable")
        .default("true")
        .doc(
            "Whether `broker.id = -1` may be answered with a generated number. With false a broker \
         without a number does not start.",
        ),
    Setting::int("reserved.broker.max.id", 0)
        .default("1000")
        .doc(
            "The highest number a person may give as `broker.id` while generation is on; generated \
         numbers start above it, so the two never meet.",
        ),
    Setting::text("broker.rack").doc(
        "Where the broker stands. Told to clients and to the other brokers; unset means that it \
         stands nowhere in particular.",
    ),
];
