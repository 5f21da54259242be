#![no_main]
peddlenet_fuzz::fuzz!(node_line);
