/// Some new positions of one head of one sequence: the smallest part of what a step does with keys and values.
struct HeadBlock {
  /// Which of the step's operations.
  let operation: Int
  let head: Int
  let rows: Range<Int>

  /// All heads of all operations, their rows in blocks of at most `blockRows`.
  static func cut<Operation>(
    _ operations: [Operation], heads: (Operation) -> Int, rows: (Operation) -> Int, blockRows: Int
  ) -> [HeadBlock] {
    var blocks: [HeadBlock] = []
    for (index, operation) in operations.enumerated() {
      let count = rows(operation)
      for head in 0..<heads(operation) {
        for first in stride(from: 0, to: count, by: blockRows) {
          blocks.append(
            HeadBlock(operation: index, head: head, rows: first..<min(first + blockRows, count)))
        }
      }
    }
    return blocks
  }
}
