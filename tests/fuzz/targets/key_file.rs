#![no_main]
peddlenet_fuzz::fuzz!(key_file);
