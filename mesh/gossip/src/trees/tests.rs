use super::*;

fn author(n: u8) -> AuthorId {
    AuthorId([n; 32])
}

fn trees(links: u64) -> Trees {
    let mut trees = Trees::default();
    for n in 1..=links {
        assert_eq!(trees.join(PeerId(n), None), n == 1);
    }
    trees
}

#[test]
fn a_first_event_floods_and_duplicates_prune() {
    let (mut trees, ada) = (trees(3), author(1));
    assert!((1..=3).all(|n| trees.is_eager(ada, PeerId(n))));
    trees.first(ada, PeerId(1), 20, 10);
    assert_eq!(trees.further(ada, PeerId(2), 25, 10, false), Further::Prune);
    assert_eq!(
        trees.further(ada, PeerId(1), 20, 10, false),
        Further::Ignore
    );
    assert!(!trees.is_eager(ada, PeerId(2)));
    assert!(trees.is_eager(ada, PeerId(3)), "a child");
    assert_eq!((trees.parent(ada), trees.cost(ada)), (Some(PeerId(1)), 30));
    assert!(trees.is_eager(author(2), PeerId(2)), "another tree");
}

#[test]
fn the_best_other_way_takes_over_when_the_parent_is_gone() {
    let (mut trees, ada) = (trees(4), author(1));
    trees.first(ada, PeerId(1), 20, 10);
    trees.further(ada, PeerId(2), 28, 10, false);
    trees.further(ada, PeerId(3), 25, 30, false);
    let next = Some(PeerId(3));
    assert_eq!(trees.children_of(PeerId(1)), [Orphan { author: ada, next }]);
    assert_eq!(trees.leave(PeerId(1)), [Orphan { author: ada, next }]);
    assert_eq!(trees.parent(ada), None);
    assert_eq!(trees.graft(ada, PeerId(3), 30), None);
    assert!(trees.is_eager(ada, PeerId(3)));
    assert_eq!((trees.parent(ada), trees.cost(ada)), (Some(PeerId(3)), 55));
}

#[test]
fn only_ways_of_neighbours_nearer_to_the_author_are_followed() {
    let (mut trees, ada) = (trees(4), author(1));
    trees.first(ada, PeerId(1), 20, 10);
    trees.further(ada, PeerId(2), 29, 1, false);
    trees.further(ada, PeerId(3), 30, 1, false);
    trees.further(ada, PeerId(4), 5, 90, false);
    let ways: Vec<_> = trees
        .ways(ada)
        .into_iter()
        .map(|(peer, _)| peer.0)
        .collect();
    assert_eq!(
        ways,
        [1, 4, 2],
        "the parent, then by cost; not the one that is as far"
    );
}

#[test]
fn a_new_link_is_lazy_for_what_is_known_and_a_used_number_forgets_its_past() {
    let (mut trees, ada, own) = (trees(2), author(1), author(9));
    trees.first(ada, PeerId(1), 20, 10);
    trees.begin(own);
    assert!(!trees.join(PeerId(7), Some(own)));
    assert!(!trees.is_eager(ada, PeerId(7)));
    assert!(trees.is_eager(own, PeerId(7)) && trees.is_eager(author(2), PeerId(7)));
    trees.further(ada, PeerId(7), 1, 1, false);
    trees.leave(PeerId(7));
    trees.join(PeerId(8), Some(own));
    assert_eq!(
        trees.ways(ada).len(),
        1,
        "the way belonged to the link before"
    );
}

#[test]
fn who_grafts_from_me_is_no_way_to_the_author() {
    let (mut trees, ada) = (trees(2), author(1));
    trees.first(ada, PeerId(1), 20, 10);
    trees.further(ada, PeerId(2), 25, 10, false);
    trees.grafted_by(ada, PeerId(2));
    assert!(trees.is_eager(ada, PeerId(2)));
    assert_eq!(trees.ways(ada).len(), 1);
    trees.grafted_by(ada, PeerId(1));
    assert_eq!(trees.parent(ada), None);
    trees.pruned_by(ada, PeerId(2));
    assert!(!trees.is_eager(ada, PeerId(2)));
    trees.grafted_all_by(PeerId(2));
    assert!(trees.is_eager(ada, PeerId(2)));
}

#[test]
fn a_spared_parent_is_replaced_by_the_next_copy() {
    let (mut trees, ada) = (trees(2), author(1));
    trees.first(ada, PeerId(1), 20, 10);
    let adopted = trees.further(ada, PeerId(2), 25, 10, true);
    assert_eq!(adopted, Further::Adopt(Some(PeerId(1))));
    assert_eq!(trees.parent(ada), Some(PeerId(2)));
    assert!(!trees.is_eager(ada, PeerId(1)));
}

#[test]
fn the_authors_not_heard_for_longest_are_forgotten_and_counted() {
    let mut trees = trees(1);
    let name = |n: usize| {
        let mut id = [0; 32];
        id[..8].copy_from_slice(&(n as u64).to_be_bytes());
        AuthorId(id)
    };
    for n in 0..limits::ORIGINS_MAX {
        trees.first(name(n), PeerId(1), 1, 1);
    }
    trees.first(name(0), PeerId(1), 1, 1);
    assert_eq!(trees.evicted, 0);
    trees.first(name(limits::ORIGINS_MAX), PeerId(1), 1, 1);
    assert!(trees.knows(name(0)) && !trees.knows(name(1)));
    assert!(trees.evicted > 0 && trees.len() <= limits::ORIGINS_MAX);
}
