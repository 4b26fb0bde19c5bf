import Record
import Synchronization
import TestSupport
import Testing

@testable import GPT2Engine
@testable import GPT2Kernels

/// Kernels with the faults that kernels have. The check of each operation finds each of them and says where, as the
/// command `check` does of every variant.
struct WrongKernelTests {
  static let operations: [OperationShape] = [
    .matmul(m: 5, k: 17, n: 33), .layerNorm(rows: 3, channels: 17), .gelu(rows: 1, channels: 33),
    .softmax(rows: 3, heads: 2, depth: 9), .attention(rows: 3, heads: 2, headSize: 9, depth: 9),
  ]

  @Test(arguments: KernelFault.allCases, operations)
  func everyFaultOfAKernelIsFound(_ fault: KernelFault, _ operation: OperationShape) throws {
    guard fault.isPossible(in: operation) else { return }
    let failure = try operation.firstRaggedFailure(of: FaultyKernel(fault))
    let text = try #require(failure, "\(fault) of \(operation) is not found")
    switch fault {
    case .writesOneTooMany: expectContains(text, " was written, expected ")
    case .flushesSubnormals: expectContains(text, " of subnormal numbers: output (")
    case .leavesOutTheLast, .addsToWhatItFinds:
      expectContains(text, " was not written, or was read before it was, expected a finite number")
    case .race, .dropsTheLastInput: expectContains(text, "output (")
    }
  }

  /// The same kernel without its fault passes, so it is the fault that is found.
  @Test(arguments: operations)
  func withoutAFaultNothingIsFound(_ operation: OperationShape) throws {
    try expectNil(operation.firstRaggedFailure(of: FaultyKernel(nil)))
  }

  /// What the whole model's logits show of such a kernel: the values that are wrong in any run.
  @Test(arguments: [KernelFault.leavesOutTheLast, .dropsTheLastInput, .race])
  func theLogitsShowIt(_ fault: KernelFault) throws {
    let checkpoint = try Fixtures.ragged.get()
    let prompts = [Fixtures.ids(9, of: checkpoint)]
    let reference = try ReferenceCase(oracleFor: checkpoint, prompts: prompts)
    let wrong = Variant(name: "wrong", summary: "", makeKernel: { _ in FaultyKernel(fault) })
    try expectEqual(Engine(checkpoint, variant: wrong, threads: 1).check(against: reference).passed, false)
    let right = Variant(name: "right", summary: "", makeKernel: { _ in FaultyKernel(nil) })
    #expect(try Engine(checkpoint, variant: right, threads: 1).check(against: reference).passed)
  }
}

enum KernelFault: CaseIterable, Sendable {
  /// Two threads add to the same place: in one of some calls half of a value is lost.
  case race
  /// The loop over outputs ends one too early.
  case leavesOutTheLast
  /// The loop over outputs ends one too late.
  case writesOneTooMany
  /// The loop over inputs ends one too early.
  case dropsTheLastInput
  case flushesSubnormals
  /// A sum begins with what the memory held, and not with zero.
  case addsToWhatItFinds

  func isPossible(in operation: OperationShape) -> Bool {
    switch (self, operation) {
    case (.dropsTheLastInput, .matmul): true
    case (.dropsTheLastInput, _): false
    // A power of a difference of scores that would be subnormal changes no sum of such powers.
    case (.flushesSubnormals, .softmax): false
    // It works in place.
    case (.addsToWhatItFinds, .gelu), (.leavesOutTheLast, .gelu): false
    default: true
    }
  }
}

/// The reference operations, with one fault or none.
private struct FaultyKernel: DivisibleKernel {
  private let fault: KernelFault?
  private let calls = Calls()
  private let right = Variant.oracle.kernel(threads: 1)

  private final class Calls: Sendable {
    private let count = Atomic<Int>(0)
    var next: Int { count.wrappingAdd(1, ordering: .relaxed).newValue }
  }

  init(_ fault: KernelFault?) { self.fault = fault }

  func linear(_ operation: Linear, outputs: Range<Int>) {
    let inputs = operation.weight.inputs - (fault == .dropsTheLastInput ? 1 : 0)
    let rows = (0..<operation.output.rows).map { operation.output.row($0) }
    let before = rows.map { row in (0..<operation.output.columns).map { row[$0] } }
    for (m, out) in rows.enumerated() {
      for n in outputs {
        var sum = operation.bias?.base[n] ?? 0
        for k in 0..<inputs { sum += operation.input.row(m)[k] * operation.weight.row(n)[k] }
        out[n] = sum
      }
    }
    guard let last = rows.indices.last, operation.output.isContiguous else { return }
    spoil(rows[0], count: (last + 1) * operation.output.columns, before: before.flatMap { $0 })
  }

  func layerNorm(_ operation: LayerNorm, rows: Range<Int>) {
    spoiling(operation.output.base, operation.output.rows * operation.output.columns) { right.run(operation) }
  }

  func gelu(_ operation: GELU, elements: Range<Int>) {
    spoiling(operation.values, operation.count) { right.run(operation) }
  }

  func softmaxRows(_ operation: Softmax, heads: Range<Int>) {
    spoiling(operation.divisors, operation.heads * operation.queries) { right.run(operation) }
  }

  func attention(_ operation: Attention, heads: Range<Int>) {
    guard heads.upperBound == operation.heads else { return }
    spoiling(operation.output.base, operation.output.rows * operation.output.columns) { right.run(operation) }
  }

  private func spoiling(_ values: UnsafeMutablePointer<Float>, _ count: Int, _ compute: () -> Void) {
    let before = Array(UnsafeBufferPointer(start: values, count: count))
    compute()
    spoil(values, count: count, before: before)
  }

  private func spoil(_ values: UnsafeMutablePointer<Float>, count: Int, before: [Float]) {
    switch fault {
    case .race:
      if calls.next % 5 == 0 { values[count / 2] /= 2 }
    case .leavesOutTheLast: values[count - 1] = before[count - 1]
    case .writesOneTooMany: values[count] = 0
    case .flushesSubnormals:
      for i in 0..<count where values[i].isSubnormal { values[i] = 0 }
    case .addsToWhatItFinds:
      for i in 0..<count { values[i] += before[i] }
    case .dropsTheLastInput, nil: break
    }
  }
}
