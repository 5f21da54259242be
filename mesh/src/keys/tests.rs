use std::{
    collections::BTreeMap,
    fs,
    sync::{Mutex, MutexGuard},
};

use super::*;

/// As cheap as Argon2id gets.
const CHEAP: Cost = Cost {
    memory_kib: 8,
    passes: 1,
    lanes: 1,
};

/// A keychain in memory, which may be locked or lose what it is given.
#[derive(Default)]
struct Fake {
    entries: Mutex<BTreeMap<String, Vec<u8>>>,
    locked: Mutex<bool>,
    forgetful: bool,
}

impl Fake {
    fn entries(&self) -> Result<MutexGuard<'_, BTreeMap<String, Vec<u8>>>, KeychainError> {
        if *self.locked.lock().unwrap() {
            return Err(KeychainError("locked".into()));
        }
        Ok(self.entries.lock().unwrap())
    }
}

impl Keychain for Fake {
    fn read(&self, account: &str) -> Result<Option<Zeroizing<Vec<u8>>>, KeychainError> {
        Ok(self.entries()?.get(account).cloned().map(Zeroizing::new))
    }

    fn write(&self, account: &str, secret: &[u8]) -> Result<(), KeychainError> {
        if !self.forgetful {
            self.entries()?.insert(account.into(), secret.into());
        }
        Ok(())
    }

    fn delete(&self, account: &str) -> Result<(), KeychainError> {
        self.entries()?.remove(account);
        Ok(())
    }
}

struct Place {
    _temp: tempfile::TempDir,
    data: PathBuf,
    key: PathBuf,
}

fn place() -> Place {
    let temp = tempfile::tempdir().unwrap();
    let (data, key) = (temp.path().join("ada"), temp.path().join("ada.key"));
    fs::create_dir(&data).unwrap();
    Place {
        _temp: temp,
        data,
        key,
    }
}

fn find(place: &Place, keys: &Keys, sealed_by: Option<KeyId>) -> Result<(MasterKey, Kept), Error> {
    find_or_make(&place.data, keys, sealed_by.map(|id| id.0), CHEAP)
}

fn with_passphrase(text: &str) -> Keys {
    Keys {
        passphrase: Some(Passphrase::new(text).unwrap()),
        ..Keys::default()
    }
}

fn code<T>(outcome: Result<T, Error>) -> ErrorCode {
    outcome.map(|_| ()).unwrap_err().code
}

#[test]
fn a_new_key_lies_beside_the_data_and_is_found_again() {
    let place = place();
    let (key, kept) = find(&place, &Keys::default(), None).unwrap();
    assert_eq!((kept.place, &kept.file), (KeyPlace::File, &place.key));
    assert!(place.key.exists() && fs::read_dir(&place.data).unwrap().count() == 0);
    let warning = kept.warning().unwrap();
    assert!(warning.contains("ada.key"), "{warning}");
    let (again, _) = find(&place, &Keys::default(), Some(key.id())).unwrap();
    assert_eq!(again.expose(), key.expose());
    // The store may not have been made yet.
    let (again, _) = find(&place, &Keys::default(), None).unwrap();
    assert_eq!(again.expose(), key.expose());
}

#[test]
fn a_sealed_store_never_gets_another_key() {
    let place = place();
    let (key, kept) = find(&place, &Keys::default(), None).unwrap();
    kept.destroy().unwrap();
    assert!(!place.key.exists());
    let lost = find(&place, &Keys::default(), Some(key.id())).map(|_| ());
    let lost = lost.unwrap_err();
    assert_eq!(lost.code, ErrorCode::KeyMissing);
    assert!(lost.message.contains("ada.key"), "{lost}");
    assert!(!place.key.exists());
    let (other, _) = find(&place, &Keys::default(), None).unwrap();
    assert_ne!(other.id(), key.id());
    let wrong = find(&place, &Keys::default(), Some(key.id()));
    assert_eq!(code(wrong), ErrorCode::KeyWrong);
}

#[test]
fn a_passphrase_opens_what_it_wrapped() {
    let place = place();
    let (key, kept) = find(&place, &with_passphrase("horse"), None).unwrap();
    assert_eq!((kept.place, kept.warning()), (KeyPlace::Passphrase, None));
    let bytes = fs::read(&place.key).unwrap();
    assert!(!bytes.windows(32).any(|w| w == key.expose()));
    let (again, _) = find(&place, &with_passphrase("horse"), Some(key.id())).unwrap();
    assert_eq!(again.expose(), key.expose());
    let wrong = find(&place, &with_passphrase("cow"), Some(key.id()));
    assert_eq!(code(wrong), ErrorCode::PassphraseWrong);
    let none = find(&place, &Keys::default(), Some(key.id()));
    assert_eq!(code(none), ErrorCode::PassphraseNeeded);
}

#[test]
fn a_keychain_keeps_the_key_and_no_file_is_written() {
    let place = place();
    let fake = Arc::new(Fake::default());
    let keys = Keys {
        keychain: Some(Arc::clone(&fake) as Arc<dyn Keychain>),
        ..Keys::default()
    };
    let (key, kept) = find(&place, &keys, None).unwrap();
    assert_eq!((kept.place, kept.warning()), (KeyPlace::Keychain, None));
    assert!(!place.key.exists());
    let (again, kept) = find(&place, &keys, Some(key.id())).unwrap();
    assert_eq!(again.expose(), key.expose());
    // Locked, or not there: told, and nothing new is made.
    *fake.locked.lock().unwrap() = true;
    assert_eq!(
        code(find(&place, &keys, Some(key.id()))),
        ErrorCode::KeyMissing
    );
    assert_eq!(code(kept.destroy()), ErrorCode::StoreFailed);
    *fake.locked.lock().unwrap() = false;
    let without = find(&place, &Keys::default(), Some(key.id()));
    assert_eq!(code(without), ErrorCode::KeyMissing);
    kept.destroy().unwrap();
    assert!(fake.entries().unwrap().is_empty());
    assert_eq!(
        code(find(&place, &keys, Some(key.id()))),
        ErrorCode::KeyMissing
    );
}

#[test]
fn without_a_keychain_that_works_the_key_goes_to_a_file() {
    let locked = Fake {
        locked: Mutex::new(true),
        ..Fake::default()
    };
    let forgetful = Fake {
        forgetful: true,
        ..Fake::default()
    };
    for fake in [locked, forgetful] {
        let place = place();
        let keys = Keys {
            keychain: Some(Arc::new(fake)),
            ..Keys::default()
        };
        let (_, kept) = find(&place, &keys, None).unwrap();
        assert_eq!(kept.place, KeyPlace::File);
        assert!(place.key.exists());
    }
}

#[test]
fn a_key_file_inside_the_data_folder_is_refused() {
    let place = place();
    let inside = |path: PathBuf| Keys {
        file: Some(path),
        ..Keys::default()
    };
    for path in [
        place.data.join("key"),
        place.data.join("../ada/key"),
        place.data.join("store/../key"),
    ] {
        fs::create_dir_all(place.data.join("store")).unwrap();
        let refused = find(&place, &inside(path), None);
        assert_eq!(code(refused), ErrorCode::KeyFileBad);
    }
    let elsewhere = place.data.with_file_name("elsewhere");
    let (_, kept) = find(&place, &inside(elsewhere.clone()), None).unwrap();
    assert!(elsewhere.exists() && kept.file == elsewhere);
}

#[test]
fn a_file_that_is_no_key_file_is_told_and_kept() {
    let place = place();
    for bytes in [b"hello".to_vec(), vec![7; 1000], Vec::new()] {
        fs::write(&place.key, &bytes).unwrap();
        let refused = find(&place, &Keys::default(), None);
        assert_eq!(code(refused), ErrorCode::KeyFileBad);
        assert_eq!(fs::read(&place.key).unwrap(), bytes);
    }
}
