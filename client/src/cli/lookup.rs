//! A topic by its name, patient with one that was only just created.

use std::time::Duration;

use barnabas_client::{Client, ErrorCode, TopicDescription};

use super::caller::Caller;
use super::ending::Failure;
use super::explain;

/// How long to wait before asking again, each time. The broker that is asked may not have heard of
/// a topic that another one has just created.
const PAUSES: [Duration; 3] = [
    Duration::from_millis(50),
    Duration::from_millis(150),
    Duration::from_millis(300),
];

/// The topic as the cluster describes it now.
///
/// # Errors
/// The cluster's; for a name that it does not know, with the nearest one.
pub(crate) async fn topic(
    caller: &Caller,
    client: &Client,
    name: &str,
) -> Result<TopicDescription, Failure> {
    let mut pauses = PAUSES.iter();
    loop {
        let described = client.admin().describe_topics(&[name]).await;
        let error = match described.map(|mut all| all.pop()) {
            Ok(Some(Ok(description))) => return Ok(description),
            Ok(Some(Err(error))) | Err(error) => error,
            Ok(None) => return Err(explain::unknown_topic(client, name).await),
        };
        let is_unknown = error.code() == Some(ErrorCode::UnknownTopicOrPartition);
        match pauses.next() {
            Some(pause) if is_unknown => tokio::time::sleep(*pause).await,
            Some(_) | None => {
                return Err(explain::about_topic(caller, client, name, &error).await);
            }
        }
    }
}
