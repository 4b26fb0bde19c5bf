import Foundation
import Synchronization
import TestSupport
import Testing

@testable import GPT2Kernels

/// A library as tests can have one everywhere: the reference product under CBLAS's own interface.
private enum FakeBLAS {
  struct Calls {
    var layouts: [[Int]] = []
    var threads: [Int] = []
  }

  static let calls = Mutex(Calls())

  typealias Sizes = (m: Int, n: Int, k: Int, lda: Int, ldb: Int, ldc: Int)

  static func multiply(
    _ layout: [Int32], _ s: Sizes, _ alpha: Float, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>,
    _ beta: Float, _ c: UnsafeMutablePointer<Float>
  ) {
    calls.withLock { $0.layouts.append(layout.map(Int.init)) }
    // CBLAS_TRANSPOSE of the second factor.
    let steps = layout[2] == 112 ? (column: s.ldb, input: 1) : (column: 1, input: s.ldb)
    for row in 0..<s.m {
      for column in 0..<s.n {
        var sum: Float = 0
        for i in 0..<s.k { sum += a[row * s.lda + i] * b[column * steps.column + i * steps.input] }
        let place = row * s.ldc + column
        c[place] = alpha * sum + (beta == 0 ? 0 : beta * c[place])
      }
    }
  }

  static let narrow:
    @convention(c) (
      Int32, Int32, Int32, Int32, Int32, Int32, Float, UnsafePointer<Float>, Int32, UnsafePointer<Float>,
      Int32,
      Float, UnsafeMutablePointer<Float>, Int32
    ) -> Void = { order, transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc in
      multiply(
        [order, transA, transB], (Int(m), Int(n), Int(k), Int(lda), Int(ldb), Int(ldc)), alpha, a, b, beta, c)
    }

  static let wide:
    @convention(c) (
      Int32, Int32, Int32, Int, Int, Int, Float, UnsafePointer<Float>, Int, UnsafePointer<Float>, Int, Float,
      UnsafeMutablePointer<Float>, Int
    ) -> Void = { order, transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc in
      multiply([order, transA, transB], (m, n, k, lda, ldb, ldc), alpha, a, b, beta, c)
    }

  static let setThreads: @convention(c) (Int32) -> Void = { count in
    calls.withLock { $0.threads.append(Int(count)) }
  }

  static let config: @convention(c) () -> UnsafePointer<CChar>? = { UnsafePointer(strdup(" FakeBLAS 1.0 ")) }

  static func library(_ symbols: [String: UnsafeMutableRawPointer]) throws -> BLASLibrary {
    calls.withLock { $0 = Calls() }
    return try BLASLibrary(file: "libfake.so") { symbols[$0] }
  }
}

@Suite(.serialized) struct BLASTests {
  private let narrow = unsafeBitCast(FakeBLAS.narrow, to: UnsafeMutableRawPointer.self)
  private let wide = unsafeBitCast(FakeBLAS.wide, to: UnsafeMutableRawPointer.self)
  private let setThreads = unsafeBitCast(FakeBLAS.setThreads, to: UnsafeMutableRawPointer.self)
  private let config = unsafeBitCast(FakeBLAS.config, to: UnsafeMutableRawPointer.self)

  private func kernel(_ library: BLASLibrary, threads: Int) -> any DivisibleKernel {
    BLASLinear(base: SIMD8Tile3x4(), library: library, threads: threads)
  }

  private func fault(
    _ kernel: any DivisibleKernel, _ problem: LinearTests.Problem, _ layout: WeightLayout, hasBias: Bool,
    outputs: Range<Int>
  ) -> String? {
    LinearTests.fault(problem, layout: layout, hasBias: hasBias, outputs: outputs) {
      kernel.linear($0, outputs: outputs)
    }
  }

  private func expectRightProducts(_ kernel: any DivisibleKernel) {
    for problem in LinearTests.Problem.all {
      for (layout, hasBias) in [
        (WeightLayout.rows, false), (.rows, true), (.columns, false), (.columns, true),
      ] {
        expectNil(fault(kernel, problem, layout, hasBias: hasBias, outputs: 0..<problem.shape.n))
      }
    }
    let problem = LinearTests.Problem(LinearTests.Shape(m: 5, n: 65, k: 17))
    for outputs in [0..<0, 0..<1, 4..<23, 32..<65] {
      for layout in [WeightLayout.rows, .columns] {
        expectNil(fault(kernel, problem, layout, hasBias: true, outputs: outputs))
      }
    }
  }

  @Test func bothWidthsOfIntegersAndAllNamesAreCalledAsCBLASSays() throws {
    for (prefix, suffix) in [("", ""), ("scipy_", ""), ("scipy_", "64_"), ("", "64_")] {
      let library = try FakeBLAS.library([
        prefix + "cblas_sgemm" + suffix: suffix.isEmpty ? narrow : wide,
        prefix + "openblas_set_num_threads" + suffix: setThreads,
        prefix + "openblas_get_config" + suffix: config,
      ])
      expectRightProducts(kernel(library, threads: 3))
      let calls = FakeBLAS.calls.withLock { $0 }
      expectEqual(Set(calls.layouts), [[101, 111, 112], [101, 111, 111]])
      expectEqual(calls.threads, [3])
      expectEqual(library.description, "libfake.so, FakeBLAS 1.0")
    }
  }

  @Test func theNumberOfThreadsIsSetWhereItChanges() throws {
    let library = try FakeBLAS.library(["cblas_sgemm": narrow, "MKL_Set_Num_Threads": setThreads])
    let problem = LinearTests.Problem(LinearTests.Shape(m: 2, n: 3, k: 4))
    for threads in [2, 2, 1, 1, 2] {
      expectNil(
        fault(kernel(library, threads: threads), problem, .rows, hasBias: true, outputs: 0..<3))
    }
    expectEqual(FakeBLAS.calls.withLock { $0.threads }, [2, 1, 2])
  }

  @Test func aLibraryThatKeepsItsThreadsSaysSo() throws {
    let library = try FakeBLAS.library(["cblas_sgemm": narrow])
    #expect(!library.setsThreads && library.configuration == nil)
    expectEqual(library.description, "libfake.so, its number of threads cannot be set")
    expectRightProducts(kernel(library, threads: 2))
  }

  @Test func whatIsNoLibraryIsNamed() {
    func reason(_ name: String?) -> String {
      if case .failure(let missing) = BLASLibrary.find(named: name) { return missing.description }
      return "found"
    }
    expectEqual(reason(""), "GPT2_BENCH_BLAS is set to nothing, expected the file of a CBLAS library")
    #expect(reason("/nonexistent/libx.so").hasPrefix("GPT2_BENCH_BLAS: /nonexistent/libx.so"))
    #if canImport(Glibc)
      expectEqual(
        reason("libc.so.6"),
        "GPT2_BENCH_BLAS: libc.so.6: found no function cblas_sgemm in it, expected a CBLAS library")
    #endif
  }

  /// The machine's own, where it has one.
  @Test(.enabled(if: LookedUpVariant.blas.variant != nil), arguments: [1, 2, 3])
  func theMachinesLibraryComputesTheFormula(threads: Int) throws {
    let variant = try #require(Variant.named("blas"))
    #expect(variant.isThreaded && variant.decoding == .cache)
    expectRightProducts(try #require(variant.kernel(threads: threads) as? any DivisibleKernel))
  }

  @Test func theLadderDoesNotDependOnIt() {
    #expect(!Variant.all.map(\.name).contains("blas"))
    expectEqual(Variant.lookedUp.map(\.name), ["blas"])
    let isFound = LookedUpVariant.blas.variant != nil
    expectEqual(Variant.available.map(\.name), Variant.all.map(\.name) + (isFound ? ["blas"] : []))
  }
}
