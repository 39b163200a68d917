mod deck;
mod format;
mod goals;
mod robust;
