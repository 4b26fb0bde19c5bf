import Record
import Reporting

enum Matmul: Command {
  static let description = CommandDescription(
    name: "matmul", summary: "checks and times every kernel on matrix products",
    examples: [
      ("every kernel on a product, for 1 row and for 64", "gpt2-bench matmul --size 768x3072"),
      (
        "two kernels on 64 rows, with 20 samples",
        "gpt2-bench matmul --size 64x768x3072 --variants simd8,packed -r 20"
      ),
    ],
    options: [
      Option(
        "--size", value: "[Mx]KxN,…", in: .subject, default: "none, it must be given",
        help: "M rows, K inputs and N outputs; without M, 1 row and 64 rows")
    ] + KernelBench.options(of: .matmul))

  private static let defaultRows = [1, 64]

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    let size = try arguments.required(
      "--size", arguments.string("--size"), expected: "[Mx]KxN, for example 768x3072")
    return try KernelBench.run(.matmul, shapes(size), sizedBy: "--size", arguments, console)
  }

  /// `768x3072` is K × N with the default rows, `64x768x3072` is M × K × N.
  static func shapes(_ text: String) throws -> [OperationShape] {
    try text.split(separator: ",", omittingEmptySubsequences: false).flatMap { part in
      let numbers = part.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
      guard (2...3).contains(numbers.count),
        numbers.allSatisfy({ $0.map { (1...largestSize).contains($0) } ?? false })
      else {
        throw UsageError(
          "--size", found: String(part),
          expected: "[Mx]KxN with sizes from 1 to \(largestSize), for example 768x3072 or 64x768x3072")
      }
      let sizes = numbers.compactMap { $0 }
      return (sizes.count == 3 ? [sizes[0]] : defaultRows).map {
        OperationShape.matmul(m: $0, k: sizes[sizes.count - 2], n: sizes[sizes.count - 1])
      }
    }.uniqued()
  }

  private static let largestSize = 1 << 20
}
