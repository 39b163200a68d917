//! Elastic tab stops: columns of tab-terminated cells, each column as wide as its widest cell.
//!
//! Models Go's `text/tabwriter` as kubectl uses it. A column is a block of consecutive lines that have a
//! tab-terminated cell there; the last cell of a line is not part of a column.

/// How columns are padded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tabs {
    pub min_width: usize,
    pub padding: usize,
}

/// What `kubectl get` uses.
pub(crate) const TABLE: Tabs = Tabs {
    min_width: 6,
    padding: 3,
};
/// What `kubectl describe` uses.
pub(crate) const DESCRIBE: Tabs = Tabs {
    min_width: 0,
    padding: 2,
};

/// Aligns `text`, whose cells end in tabs and lines in newlines.
pub(crate) fn align(text: &str, tabs: Tabs) -> String {
    let lines: Vec<Vec<&str>> = text
        .split('\n')
        .map(|line| line.split('\t').collect())
        .collect();
    let mut out = String::with_capacity(text.len() * 2);
    let mut widths = Vec::new();
    format(&lines, 0, lines.len(), &mut widths, tabs, &mut out);
    out.pop();
    out
}

/// Writes `lines[from..to]`, whose columns before `widths.len()` are known, and finds the next column's blocks.
fn format(
    lines: &[Vec<&str>],
    from: usize,
    to: usize,
    widths: &mut Vec<usize>,
    tabs: Tabs,
    out: &mut String,
) {
    let column = widths.len();
    let mut written = from;
    let mut at = from;
    while at < to {
        if column + 1 >= lines[at].len() {
            at += 1;
            continue;
        }
        write_lines(lines, written, at, widths, out);
        written = at;
        let mut width = tabs.min_width;
        let mut discardable = true;
        while at < to && column + 1 < lines[at].len() {
            let cell = display_width(lines[at][column]) + tabs.padding;
            width = width.max(cell);
            discardable &= lines[at][column].is_empty();
            at += 1;
        }
        // A column of empty cells takes no space unless the padding says so.
        if discardable && tabs.min_width == 0 && tabs.padding == 0 {
            width = 0;
        }
        widths.push(width);
        format(lines, written, at, widths, tabs, out);
        widths.pop();
        written = at;
    }
    write_lines(lines, written, to, widths, out);
}

fn write_lines(lines: &[Vec<&str>], from: usize, to: usize, widths: &[usize], out: &mut String) {
    for line in &lines[from..to] {
        for (at, cell) in line.iter().enumerate() {
            out.push_str(cell);
            let is_last = at + 1 == line.len();
            if !is_last && let Some(width) = widths.get(at) {
                out.extend(std::iter::repeat_n(
                    ' ',
                    width.saturating_sub(display_width(cell)),
                ));
            }
        }
        out.push('\n');
    }
}

/// Go's tabwriter counts code points, not columns of the terminal.
fn display_width(cell: &str) -> usize {
    cell.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn a_table_has_columns_three_apart_and_six_wide() {
        expect![[r#"
            NAME     STATUS   AGE
            node-1   Ready    5s
            n        Ready    4s
        "#]]
        .assert_eq(&align(
            "NAME\tSTATUS\tAGE\nnode-1\tReady\t5s\nn\tReady\t4s\n",
            TABLE,
        ));
    }

    #[test]
    fn a_column_ends_at_a_line_without_its_cell() {
        expect![[r#"
            Name:       web
            Namespace:  default
            Conditions:
              Type           Status  Reason
              ----           ------  ------
              Available      True    MinimumReplicasAvailable
            Events:          <none>
        "#]]
        .assert_eq(&align(
            "Name:\tweb\nNamespace:\tdefault\nConditions:\n  Type\tStatus\tReason\n  ----\t------\t------\n  Available    \tTrue\tMinimumReplicasAvailable\nEvents:\t<none>\n",
            DESCRIBE,
        ));
    }
}
