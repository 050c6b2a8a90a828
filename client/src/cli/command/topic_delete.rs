//! `topic delete`: marks topics for deletion and waits until the controller knows.

use barnabas_client::{Client, ErrorCode};

use crate::cli::args::TopicDelete;
use crate::cli::caller::Caller;
use crate::cli::ending::{Ending, Failure};
use crate::cli::explain;
use crate::cli::status::{self, Status};

pub(crate) async fn run(caller: &Caller, typed: &TopicDelete) -> Result<Ending, Failure> {
    super::topic_create::refuse_doubles(&typed.topics)?;
    let client = caller.connect(&[]).await?;
    let statuses = caller.within(delete(caller, &client, typed)).await?;
    status::report(caller, &[], &statuses)
}

async fn delete(
    caller: &Caller,
    client: &Client,
    typed: &TopicDelete,
) -> Result<Vec<Status>, Failure> {
    let names: Vec<&str> = typed.topics.iter().map(String::as_str).collect();
    let deleted = client.admin().delete_topics(&names).await;
    let deleted = deleted.map_err(|error| explain::error(caller, &error))?;
    let mut statuses = Vec::new();
    for (name, result) in names.into_iter().zip(deleted) {
        let outcome = match result {
            Ok(()) => Ok("deleted"),
            Err(error)
                if typed.if_exists && error.code() == Some(ErrorCode::UnknownTopicOrPartition) =>
            {
                Ok("not there:")
            }
            Err(error) => Err(explain::about_topic(caller, client, name, &error).await),
        };
        statuses.push(Status {
            topic: name.to_owned(),
            cells: vec![],
            outcome,
        });
    }
    Ok(statuses)
}
