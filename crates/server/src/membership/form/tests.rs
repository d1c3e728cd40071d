use super::*;
use crate::settings::Settings;
use muster_peer::KeyHash;
use muster_runtime::{SystemClock, Tasks, disk::RealDisk};

const LIST: [&str; 3] = ["10.0.0.1:7848", "10.0.0.2:7848", "10.0.0.3:7848"];

/// What one of the list is: its key is its number.
fn listed(number: u8) -> Founder {
    Founder {
        node: 0,
        address: LIST[usize::from(number) - 1].to_owned(),
        client: format!("10.0.0.{number}:8848"),
        version: "1".to_owned(),
        key: Some(KeyHash([number; 32])),
    }
}

/// What it says while it waits, as this one does.
fn waiting(number: u8) -> ProbeAnswer {
    let peers = LIST.map(str::to_owned).to_vec();
    ProbeAnswer { itself: listed(number), peers, ..ProbeAnswer::default() }
}

/// What node `own` of the list decides when the others said this.
async fn decided(own: u8, said: &[Result<ProbeAnswer, String>]) -> Decision {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = Settings::default();
    settings.cluster.peers = LIST.map(str::to_owned).to_vec();
    settings.cluster.listen = listed(own).address;
    settings.cluster.secret_file = folder.path().join("secret");
    std::fs::write(&settings.cluster.secret_file, [b'x'; 32]).unwrap();
    let dir: &'static DataDir =
        Box::leak(Box::new(DataDir::open(Arc::new(RealDisk), &folder.path().join("data")).unwrap()));
    let ground = Ground {
        settings: &settings,
        dir,
        has_data: false,
        clock: Arc::new(SystemClock::new()),
        tasks: Tasks::new(),
    };
    let prover = Arc::new(Prover::of_listed(&ground).unwrap());
    let forming = Forming { ground: &ground, itself: listed(own), links: ground.links(&prover) };
    let others = LIST.iter().filter(|peer| **peer != forming.itself.address);
    forming.decide(&others.map(|peer| (*peer).to_owned()).zip(said.iter().cloned()).collect()).await
}

async fn waits_for(own: u8, said: &[Result<ProbeAnswer, String>]) -> String {
    match decided(own, said).await {
        Decision::Wait(why) => why,
        Decision::Begin(..) => panic!("it begins"),
        Decision::Joined(_) => panic!("it joins"),
    }
}

#[tokio::test]
async fn the_first_of_the_list_begins_when_all_are_there_and_new() {
    let Decision::Begin(cluster, members) = decided(1, &[Ok(waiting(2)), Ok(waiting(3))]).await else {
        panic!("it does not begin")
    };
    assert_ne!(cluster, NOWHERE.0);
    let expected: Vec<_> = (1..=3).map(|number| Founder { node: number.into(), ..listed(number) }).collect();
    assert_eq!(members, expected);
    let why = waits_for(2, &[Ok(waiting(1)), Ok(waiting(3))]).await;
    assert!(why.contains("10.0.0.1:7848, the first of the list, is about to begin"), "{why}");
}

#[tokio::test]
async fn one_that_is_silent_has_data_or_has_another_list_is_waited_for() {
    let why = waits_for(1, &[Ok(waiting(2)), Err("10.0.0.3:7848 is silent".to_owned())]).await;
    assert!(why.contains("10.0.0.3:7848 is silent"), "{why}");
    let full = ProbeAnswer { has_data: true, ..waiting(3) };
    let why = waits_for(1, &[Ok(waiting(2)), Ok(full)]).await;
    assert!(why.contains("10.0.0.3:7848 has data of its own"), "{why}");
    let short = ProbeAnswer { peers: vec![LIST[0].to_owned(), LIST[2].to_owned()], ..waiting(3) };
    let why = waits_for(1, &[Ok(waiting(2)), Ok(short)]).await;
    assert!(why.contains("10.0.0.3:7848 has other cluster_peers"), "{why}");
}

#[tokio::test]
async fn whoever_began_with_the_cluster_follows_it_by_its_key() {
    let members: Vec<_> = (1..=3).map(|number| Founder { node: number.into(), ..listed(number) }).collect();
    let begun =
        ProbeAnswer { cluster: Some(ClusterId(7)), has_data: true, members: members.clone(), ..waiting(1) };
    // The third is not needed for that.
    let said = [Ok(begun.clone()), Err("silent".to_owned())];
    let Decision::Begin(ClusterId(7), followed) = decided(2, &said).await else {
        panic!("it does not follow")
    };
    assert_eq!(followed, members);

    // With another key it is one whose data were lost: it asks to be let in, here in vain.
    let mut strangers = members;
    strangers[1].key = Some(KeyHash([9; 32]));
    let said = [Ok(ProbeAnswer { members: strangers, ..begun }), Err("silent".to_owned())];
    let why = waits_for(2, &said).await;
    assert!(why.contains("10.0.0.1:7848"), "{why}");
}

#[test]
fn with_whom_it_began_is_noted() {
    let folder = tempfile::tempdir().unwrap();
    let dir = DataDir::open(Arc::new(RealDisk), &folder.path().join("data")).unwrap();
    assert_eq!(founders(&dir).unwrap().len(), 0);
    let candidate = |number: u8| {
        let Founder { address, client, version, key, .. } = listed(number);
        (NodeId(number.into()), Candidate { address, client, version, key })
    };
    note_founders(&dir, &[candidate(1), candidate(2)]).unwrap();
    assert_eq!(founders(&dir).unwrap(), [candidate(1), candidate(2)]);
    dir.set_cluster_file(FOUNDERS, b"\xff").unwrap();
    assert!(founders(&dir).unwrap_err().to_string().contains("is damaged"));
}
