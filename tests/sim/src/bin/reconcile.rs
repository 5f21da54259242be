//! The rows of `bench sync`, without the crates that `bench` needs.

fn main() {
    let seed = std::env::args()
        .nth(1)
        .and_then(|s| s.parse().ok())
        .unwrap_or(1);
    println!("| system | missing of 10 000 | where | reconcile B | fetch B | round trips |");
    println!("|---|---|---|---|---|---|");
    let rows = peddlenet_sim::ours::reconcile::rows(seed);
    for row in &rows {
        let place = if row.recent { "newest" } else { "anywhere" };
        println!(
            "| {} | {} | {place} | {} | {} | {:.1} |",
            row.system, row.missing, row.reconcile_bytes, row.fetch_bytes, row.round_trips
        );
    }
    // What gossip.md promises: 24 bytes a side for equal sets, 2.5 KB for the newest 100 of 10,000.
    let ours = |missing| {
        rows.iter()
            .find(|r| r.system == "ours" && r.recent && r.missing == missing)
            .map(|r| (r.reconcile_bytes, r.round_trips))
    };
    assert_eq!(ours(0).map(|(bytes, _)| bytes), Some(48));
    assert!(ours(100).is_some_and(|(bytes, trips)| bytes <= 2_500 && trips <= 2.0));
}
