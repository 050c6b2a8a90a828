//! `cluster describe`: who is there, and who is the controller.

use barnabas_client::ClusterDescription;
use serde_json::{Value, json};

use crate::cli::caller::Caller;
use crate::cli::ending::{Ending, Failure};
use crate::cli::explain;
use crate::cli::table::Table;

pub(crate) async fn run(caller: &Caller) -> Result<Ending, Failure> {
    let client = caller.connect(&[]).await?;
    let described = caller.within(async {
        let described = client.admin().describe_cluster().await;
        described.map_err(|error| explain::error(caller, &error))
    });
    let cluster = described.await?;
    if caller.wants_json() {
        caller.print_json(&document(&cluster))?;
    } else {
        caller.print(&text(&cluster))?;
    }
    if cluster.controller_id.is_none() {
        caller.note("no controller is elected: can the brokers reach ZooKeeper?");
    }
    Ok(Ending::Done)
}

fn text(cluster: &ClusterDescription) -> String {
    let id = cluster.cluster_id.as_deref().unwrap_or("without an id");
    let controller = cluster
        .controller_id
        .map_or("none".to_owned(), |id| id.to_string());
    let mut table = Table::new(&["BROKER", "ADDRESS", "RACK", "ROLE"]);
    for broker in &cluster.brokers {
        let is_controller = cluster.controller_id == Some(broker.id);
        table.row([
            broker.id.to_string(),
            format!("{}:{}", broker.host, broker.port),
            broker.rack.clone().unwrap_or_else(|| "-".to_owned()),
            if is_controller { "controller" } else { "" }.to_owned(),
        ]);
    }
    let count = cluster.brokers.len();
    let brokers = if count == 1 { "broker" } else { "brokers" };
    format!("cluster {id}  {count} {brokers}  controller {controller}\n{table}")
}

fn document(cluster: &ClusterDescription) -> Value {
    let broker = |broker: &barnabas_client::Broker| {
        json!({
            "id": broker.id.0,
            "host": broker.host,
            "port": broker.port,
            "rack": broker.rack,
        })
    };
    json!({
        "clusterId": cluster.cluster_id,
        "controllerId": cluster.controller_id.map(|id| id.0),
        "brokers": cluster.brokers.iter().map(broker).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use barnabas_client::{Broker, BrokerId};
    use expect_test::expect;

    use super::*;

    fn two_brokers() -> ClusterDescription {
        let broker = |id: i32, rack: Option<&str>| Broker {
            id: BrokerId(id),
            host: "localhost".to_owned(),
            port: 9092,
            rack: rack.map(str::to_owned),
        };
        ClusterDescription {
            cluster_id: Some("q1Sh-9_ISia_zwGINzRvyQ".to_owned()),
            controller_id: Some(BrokerId(1)),
            brokers: vec![broker(0, None), broker(1, Some("a"))],
        }
    }

    #[test]
    fn a_cluster_is_its_id_its_brokers_and_its_controller() {
        expect![[r"
            cluster q1Sh-9_ISia_zwGINzRvyQ  2 brokers  controller 1
            BROKER  ADDRESS         RACK  ROLE
                 0  localhost:9092  -
                 1  localhost:9092  a     controller
        "]]
        .assert_eq(&text(&two_brokers()));
        let none = ClusterDescription {
            cluster_id: None,
            controller_id: None,
            brokers: vec![],
        };
        assert!(text(&none).starts_with("cluster without an id  0 brokers  controller none\n"));
    }

    #[test]
    fn a_script_gets_one_document() {
        let document = document(&two_brokers());
        assert_eq!(document["controllerId"], 1);
        assert_eq!(document["brokers"][0]["rack"], Value::Null);
        assert_eq!(document["brokers"][1]["port"], 9092);
    }
}
