//! The renewal of the lease: a write that changes nothing, again and again.

use std::time::Duration;

use barnabas_zk_schema::{ZkPath, ZkVersion, ZkWrite};
use tokio::sync::{Notify, watch};

use crate::clock;
use crate::engine::Engine;
use crate::lease::{self, Lease};
use crate::link::Tenure;
use crate::mailbox::Mailbox;

/// Renews the lease.
pub(crate) struct Renewal<E> {
    pub(crate) tenure: watch::Receiver<Option<Tenure<E>>>,
    pub(crate) mailbox: Mailbox,
    pub(crate) lease: Lease,
    pub(crate) lease_path: watch::Receiver<Option<ZkPath>>,
}

impl<E: Engine> Renewal<E> {
    /// Never returns.
    pub(crate) async fn run(self) {
        let Self {
            tenure,
            mailbox,
            lease,
            lease_path,
        } = self;
        let renewed = Notify::new();
        tokio::join!(
            renew(tenure, lease_path, &lease, &renewed),
            tell(&mailbox, &lease, &renewed)
        );
    }
}

/// Checks the znode by a quorum write again and again, in whichever session there is.
async fn renew<E: Engine>(
    mut tenure: watch::Receiver<Option<Tenure<E>>>,
    mut path: watch::Receiver<Option<ZkPath>>,
    lease: &Lease,
    renewed: &Notify,
) {
    loop {
        let Ok(path_now) = path
            .wait_for(Option::is_some)
            .await
            .map(|path| path.clone())
        else {
            // Every handle is gone, and the session about to be closed.
            return std::future::pending().await;
        };
        let tenure_now = tenure.borrow_and_update().clone();
        let (Some(path_now), Some(tenure_now)) = (path_now, tenure_now) else {
            tenure.changed().await.ok();
            continue;
        };
        let Some(engine) = tenure_now.engine().await else {
            tenure.changed().await.ok();
            continue;
        };
        let timeout_ms = tenure_now.session.session_timeout_ms;
        let period = Duration::from_millis(timeout_ms.into()) / lease::RENEWALS_PER_TIMEOUT;
        let sent_ms = clock::boot_ms();
        let check = engine.multi(vec![ZkWrite::Check {
            path: path_now,
            version: ANY_VERSION,
        }]);
        drop(engine);
        // A reply that takes longer than the lease runs renews nothing any more.
        match tokio::time::timeout(Duration::from_millis(timeout_ms.into()), check).await {
            // An answer that comes after the end of its session renews nothing.
            Ok(Ok(_checked)) if tenure_now.is_over() => {}
            Ok(Ok(_checked)) => {
                lease.renew(sent_ms, timeout_ms);
                renewed.notify_one();
            }
            Ok(Err(error)) => tracing::debug!(%error, "lease not renewed"),
            Err(_elapsed) => tracing::debug!("lease not renewed: no answer"),
        }
        tokio::select! {
            () = tokio::time::sleep(period) => {}
            _ = path.changed() => {}
        }
    }
}

/// Version that every znode passes in a check.
const ANY_VERSION: ZkVersion = ZkVersion(-1);

/// Tells when the lease begins and when it is over.
async fn tell(mailbox: &Mailbox, lease: &Lease, renewed: &Notify) {
    loop {
        let remaining_ms = lease.remaining_ms();
        mailbox.leased(remaining_ms > 0);
        tokio::select! {
            () = renewed.notified() => {}
            () = tokio::time::sleep(Duration::from_millis(remaining_ms)), if remaining_ms > 0 => {}
        }
    }
}
