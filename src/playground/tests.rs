//! The door's own promises.

use super::*;

#[test]
fn a_recording_is_the_list_of_commands_with_their_times() {
    let mut playground = Playground::new(Options::default());
    playground.advance(1_500_000, 1_000_000);
    let line = Command::Terminal {
        terminal: 0,
        line: "kubectl get pods".into(),
    };
    playground.command(line.clone());
    assert_eq!(playground.recording().commands, [(1_500_000, line)]);
    assert_eq!(
        Playground::replay(playground.recording().clone()).now(),
        1_500_000
    );
}
