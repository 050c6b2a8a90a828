//! The counters of each version of each API, found without looking names up.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Instant;

use barnabas_wire::api::ApiKey;

use crate::metrics::{RequestCounters, RequestMetrics};

/// Counters by API and version, made at their first use.
#[derive(Debug)]
pub(super) struct ApiCounters {
    metrics: RequestMetrics,
    cells: BTreeMap<ApiKey, Vec<OnceLock<RequestCounters>>>,
}

/// One request on its way to its answer.
#[derive(Debug)]
pub(super) struct Stopwatch {
    counters: Option<RequestCounters>,
    began: Instant,
}

impl ApiCounters {
    pub(super) fn new(metrics: RequestMetrics) -> Self {
        let cells = |api: &ApiKey| {
            let versions = api.row().served.iter();
            (*api, versions.map(|_| OnceLock::new()).collect())
        };
        Self {
            metrics,
            cells: ApiKey::ALL.iter().map(cells).collect(),
        }
    }

    /// Starts the clock of a request at a version that is served.
    pub(super) fn begin(&self, api: ApiKey, api_version: i16) -> Stopwatch {
        let row = api.row();
        let index = usize::try_from(api_version - row.served.min).unwrap_or(usize::MAX);
        let cell = self.cells.get(&api).and_then(|cells| cells.get(index));
        let counters = cell.map(|cell| {
            cell.get_or_init(|| self.metrics.of(row.name, api_version))
                .clone()
        });
        Stopwatch {
            counters,
            began: Instant::now(),
        }
    }
}

impl Stopwatch {
    /// Counts the request as answered now.
    pub(super) fn answered(&self) {
        if let Some(counters) = &self.counters {
            counters.answered(self.began.elapsed().as_secs_f64());
        }
    }
}
