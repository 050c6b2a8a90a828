//! Who may connect and do what. This version serves plain connections to everyone, so whatever
//! would restrict that is refused; what only matters together with such a restriction is ignored.

use crate::setting::{Kind, Setting};

const NO_LISTENER: &str = "it matters only to SSL and SASL listeners, which this broker has not";
const NO_AUTHORIZER: &str = "it matters only to an authorizer, which this broker has not";
const NO_TOKENS: &str = "this broker hands out no delegation tokens";
const NO_ENCODER: &str = "this broker stores no passwords in ZooKeeper";

const fn password(key: &'static str, reason: &'static str) -> Setting {
    Setting::new(key, Kind::Password).ignored_because(reason)
}

pub(super) const SETTINGS: &[Setting] = &[
    Setting::new("authorizer.class.name", Kind::Class).default("").refused(
        &[""],
        "this broker checks no permissions: everyone who reaches it would be allowed everything; \
         keep the clusters that need an authorizer on Kafka, or remove the line to accept that",
    ),
    Setting::new("create.topic.policy.class.name", Kind::Class).default("").refused(
        &[""],
        "this broker cannot load the policy, and without it every topic would be allowed; remove \
         the line to accept that",
    ),
    Setting::new("alter.config.policy.class.name", Kind::Class).default("").refused(
        &[""],
        "this broker cannot load the policy, and without it every change would be allowed; remove \
         the line to accept that",
    ),
    Setting::ignored("super.users", NO_AUTHORIZER),
    Setting::ignored("allow.everyone.if.no.acl.found", NO_AUTHORIZER),
    Setting::ignored("principal.builder.class", NO_AUTHORIZER),
    Setting::ignored("connection.failed.authentication.delay.ms", NO_LISTENER),
    Setting::ignored("connections.max.reauth.ms", NO_LISTENER),
    Setting::ignored("security.providers", NO_LISTENER),
    Setting::ignored("ssl.protocol", NO_LISTENER),
    Setting::ignored("ssl.provider", NO_LISTENER),
    Setting::ignored("ssl.cipher.suites", NO_LISTENER),
    Setting::ignored("ssl.enabled.protocols", NO_LISTENER),
    Setting::ignored("ssl.keystore.type", NO_LISTENER),
    Setting::ignored("ssl.keystore.location", NO_LISTENER),
    password("ssl.keystore.password", NO_LISTENER),
    password("ssl.key.password", NO_LISTENER),
    password("ssl.keystore.key", NO_LISTENER),
    Setting::ignored("ssl.keystore.certificate.chain", NO_LISTENER),
    Setting::ignored("ssl.truststore.type", NO_LISTENER),
    Setting::ignored("ssl.truststore.location", NO_LISTENER),
    password("ssl.truststore.password", NO_LISTENER),
    Setting::ignored("ssl.truststore.certificates", NO_LISTENER),
    Setting::ignored("ssl.keymanager.algorithm", NO_LISTENER),
    Setting::ignored("ssl.trustmanager.algorithm", NO_LISTENER),
    Setting::ignored("ssl.endpoint.identification.algorithm", NO_LISTENER),
    Setting::ignored("ssl.secure.random.implementation", NO_LISTENER),
    Setting::ignored("ssl.client.auth", NO_LISTENER),
    Setting::ignored("ssl.principal.mapping.rules", NO_LISTENER),
    Setting::ignored("ssl.engine.factory.class", NO_LISTENER),
    Setting::ignored("sasl.mechanism.inter.broker.protocol", NO_LISTENER),
    password("sasl.jaas.config", NO_LISTENER),
    Setting::ignored("sasl.enabled.mechanisms", NO_LISTENER),
    Setting::ignored("sasl.server.callback.handler.class", NO_LISTENER),
    Setting::ignored("sasl.client.callback.handler.class", NO_LISTENER),
    Setting::ignored("sasl.server.max.receive.size", NO_LISTENER),
    Setting::ignored("sasl.login.class", NO_LISTENER),
    Setting::ignored("sasl.login.callback.handler.class", NO_LISTENER),
    Setting::ignored("sasl.kerberos.service.name", NO_LISTENER),
    Setting::ignored("sasl.kerberos.kinit.cmd", NO_LISTENER),
    Setting::ignored("sasl.kerberos.ticket.renew.window.factor", NO_LISTENER),
    Setting::ignored("sasl.kerberos.ticket.renew.jitter", NO_LISTENER),
    Setting::ignored("sasl.kerberos.min.time.before.relogin", NO_LISTENER),
    Setting::ignored("sasl.kerberos.principal.to.local.rules", NO_LISTENER),
    Setting::ignored("sasl.login.refresh.window.factor", NO_LISTENER),
    Setting::ignored("sasl.login.refresh.window.jitter", NO_LISTENER),
    Setting::ignored("sasl.login.refresh.min.period.seconds", NO_LISTENER),
    Setting::ignored("sasl.login.refresh.buffer.seconds", NO_LISTENER),
    password("delegation.token.master.key", NO_TOKENS),
    password("delegation.token.secret.key", NO_TOKENS),
    Setting::ignored("delegation.token.max.lifetime.ms", NO_TOKENS),
    Setting::ignored("delegation.token.expiry.time.ms", NO_TOKENS),
    Setting::ignored("delegation.token.expiry.check.interval.ms", NO_TOKENS),
    password("password.encoder.secret", NO_ENCODER),
    password("password.encoder.old.secret", NO_ENCODER),
    Setting::ignored("password.encoder.keyfactory.algorithm", NO_ENCODER),
    Setting::ignored("password.encoder.cipher.algorithm", NO_ENCODER),
    Setting::ignored("password.encoder.key.length", NO_ENCODER),
    Setting::ignored("password.encoder.iterations", NO_ENCODER),
];
