#![no_main]
peddlenet_fuzz::fuzz!(front_door);
