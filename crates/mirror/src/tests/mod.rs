mod naive;
mod network;
mod silence;
mod start;
mod streams;
mod world;
