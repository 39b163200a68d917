//! The bundled slides against a running cluster: lessons are solvable and not passed by doing nothing, live cells
//! run from a fresh scene.

mod cells;
mod desk;
mod known;
mod lessons;
