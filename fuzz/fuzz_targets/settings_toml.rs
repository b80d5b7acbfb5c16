//! Any text as a settings file: problems, or settings that are the same when written and read again.
#![no_main]

#[path = "../../crates/policy/tests/drive_settings/mod.rs"]
mod drive_settings;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    drive_settings::drive(data);
});
