mod deck;
mod format;
mod robust;
