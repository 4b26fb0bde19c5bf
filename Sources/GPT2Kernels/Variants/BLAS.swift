import Foundation
import Synchronization

extension LookedUpVariant {
  public static let blas = LookedUpVariant(
    name: "blas",
    summary: "the system's CBLAS for linear layers, looked up at run time; the rest as kv-cache",
    lookUp: {
      BLASLibrary.found.map { library in
        Variant(
          name: "blas", summary: "linear layers by \(library.file), the rest as kv-cache", decoding: .cache,
          isThreaded: true, leavesThreadsBusy: true,
          makeKernel: { pool in
            BLASLinear(
              base: Threaded(base: SIMD8Tile3x4(), pool: pool), library: library, threads: pool.threads)
          })
      }
    })
}

/// Another kernel's operations, with linear layers by `cblas_sgemm` on as many threads of the library's own.
struct BLASLinear<Base: DivisibleKernel>: DivisibleKernel {
  let base: Base
  let library: BLASLibrary
  let threads: Int

  var trainingPath: TrainingPath { base.trainingPath }

  func product(_ operation: Linear, outputs: Range<Int>) { linear(operation, outputs: outputs) }

  func linear(_ operation: Linear, outputs: Range<Int>) {
    let output = operation.output
    guard output.rows > 0, !outputs.isEmpty else { return }
    let part = MutableMatrix(
      output.base + outputs.lowerBound, rows: output.rows, columns: outputs.count, stride: output.stride)
    if let bias = operation.bias {
      for row in 0..<part.rows {
        part.row(row).update(from: bias.base + outputs.lowerBound, count: outputs.count)
      }
    }
    let weight = operation.weight
    let isTransposed = weight.layout == .rows
    let factor =
      isTransposed
      ? Matrix(weight.row(outputs.lowerBound), rows: outputs.count, columns: weight.inputs)
      : Matrix(
        weight.base + outputs.lowerBound, rows: weight.inputs, columns: outputs.count, stride: weight.outputs)
    library.multiply(
      operation.input, factor, isTransposed: isTransposed, beta: operation.bias == nil ? 0 : 1, to: part,
      threads: threads)
  }

  func layerNorm(_ operation: LayerNorm, rows: Range<Int>) { base.layerNorm(operation, rows: rows) }
  func gelu(_ operation: GELU, elements: Range<Int>) { base.gelu(operation, elements: elements) }
  func add(_ operation: Addition, elements: Range<Int>) { base.add(operation, elements: elements) }
  func run(_ operations: [Attention]) { base.run(operations) }
  func attention(_ operation: Attention, heads: Range<Int>) { base.attention(operation, heads: heads) }
  func softmaxRows(_ operation: Softmax, heads: Range<Int>) { base.softmaxRows(operation, heads: heads) }
  func forEach(_ count: Int, _ body: (Int) -> Void) { base.forEach(count, body) }
}

/// A CBLAS (Blackford et al. 2002) that the system has, looked up at run time: nothing is linked or needs one.
///
/// `GPT2_BENCH_BLAS` names the library's file, an empty one none at all; otherwise the usual names are tried in order.
public final class BLASLibrary: @unchecked Sendable {
  public static let variable = "GPT2_BENCH_BLAS"

  /// The one of this process, opened when it is first asked for; it stays open.
  public static let found = find(named: ProcessInfo.processInfo.environment[variable])

  /// The file's name as it was opened.
  public let file: String
  /// What the library says of itself: version, options, the CPU it chose its kernels for; nil where it does not.
  public let configuration: String?
  /// Whether it lets its number of threads be set.
  public var setsThreads: Bool { setThreads != nil }

  private let sgemm: Sgemm
  private let setThreads: ((Int) -> Void)?
  /// The number of threads it was last told; 0 before.
  private let threads = Atomic<Int>(0)

  /// Why there is none, in a line.
  public struct Missing: Error, Equatable, CustomStringConvertible {
    public let description: String
  }

  /// The address of a function of the library's; nil for one that it does not have.
  typealias Symbols = (String) -> UnsafeMutableRawPointer?

  /// - Throws: `Missing` for a library without `cblas_sgemm`.
  init(file: String, symbol: Symbols) throws(Missing) {
    guard let naming = Naming.all.first(where: { symbol($0.name("cblas_sgemm")) != nil }),
      let address = symbol(naming.name("cblas_sgemm"))
    else {
      throw Missing(description: "\(file): found no function cblas_sgemm in it, expected a CBLAS library")
    }
    self.file = file
    sgemm = Sgemm(address, naming)
    setThreads = Self.threadSetter(naming, symbol)
    configuration = Self.configuration(naming, symbol)
  }

  public var description: String {
    let threads = setsThreads ? nil : "its number of threads cannot be set"
    return ([file, configuration, threads].compactMap { $0 }).joined(separator: ", ")
  }

  /// C(m, n) ← A(m, k) · B + β · C, all row-major, on `threads` threads where the library lets that be set.
  /// - Parameters:
  ///   - b: (k, n), or (n, k) where it is transposed.
  func multiply(
    _ a: Matrix, _ b: Matrix, isTransposed: Bool, beta: Float, to c: MutableMatrix, threads count: Int
  ) {
    // A global of the library's: kernels with other numbers of threads share it.
    if let setThreads, threads.exchange(count, ordering: .relaxed) != count { setThreads(count) }
    sgemm(a, b, isTransposed, beta, c)
  }
}

extension BLASLibrary {
  static let candidates: [String] = {
    #if canImport(Darwin)
      [
        "libopenblas.dylib", "/opt/homebrew/opt/openblas/lib/libopenblas.dylib",
        "/System/Library/Frameworks/Accelerate.framework/Accelerate",
      ]
    #else
      [
        "libopenblas.so.0", "libopenblas.so", "libmkl_rt.so.2", "libblis.so.4", "libcblas.so.3",
        "libblas.so.3",
      ]
    #endif
  }()

  /// - Parameter name: the file asked for; empty for none, nil for the candidates.
  static func find(named name: String?) -> Result<BLASLibrary, Missing> {
    guard let name else {
      let libraries = candidates.lazy.compactMap { try? open($0).get() }
      return libraries.first.map { .success($0) }
        ?? .failure(
          Missing(
            description: "found no CBLAS library, looked for \(candidates.joined(separator: ", ")); "
              + "\(variable) names the file of one"))
    }
    guard !name.isEmpty else {
      return .failure(
        Missing(description: "\(variable) is set to nothing, expected the file of a CBLAS library"))
    }
    return open(name).mapError { Missing(description: "\(variable): \($0)") }
  }

  private static func open(_ file: String) -> Result<BLASLibrary, Missing> {
    guard let handle = dlopen(file, RTLD_NOW | RTLD_LOCAL) else {
      let reason = dlerror().map { String(cString: $0) } ?? "\(file): cannot be opened"
      return .failure(Missing(description: reason))
    }
    do throws(Missing) {
      return .success(try BLASLibrary(file: file) { dlsym(handle, $0) })
    } catch {
      dlclose(handle)
      return .failure(error)
    }
  }

  /// How a library's functions are called and how wide its integers are. Builds of OpenBLAS that are to live beside
  /// another carry a prefix, and a suffix where their integers are of 64 bits.
  struct Naming {
    let prefix: String
    let suffix: String
    var hasWideIntegers: Bool { suffix == "64_" }
    func name(_ function: String) -> String { prefix + function + suffix }

    static let all = [("", ""), ("scipy_", ""), ("scipy_", "64_"), ("", "64_")].map(Naming.init)
  }

  private static func threadSetter(_ naming: Naming, _ symbol: Symbols) -> ((Int) -> Void)? {
    // OpenBLAS and MKL take an int whatever their interface's integers are; BLIS its own, of 64 bits.
    for name in [naming.name("openblas_set_num_threads"), "MKL_Set_Num_Threads"] {
      guard let address = symbol(name) else { continue }
      let set = unsafeBitCast(address, to: (@convention(c) (Int32) -> Void).self)
      return { set(Int32(clamping: $0)) }
    }
    guard let address = symbol("bli_thread_set_num_threads") else { return nil }
    let set = unsafeBitCast(address, to: (@convention(c) (Int) -> Void).self)
    return { set($0) }
  }

  private static func configuration(_ naming: Naming, _ symbol: Symbols) -> String? {
    let texts =
      ["openblas_get_config", "openblas_get_corename"].map(naming.name) + ["bli_info_get_version_str"]
    let words = texts.compactMap { name -> String? in
      guard let address = symbol(name) else { return nil }
      let get = unsafeBitCast(address, to: (@convention(c) () -> UnsafePointer<CChar>?).self)
      return get().map { String(cString: $0).trimmingCharacters(in: .whitespacesAndNewlines) }
    }
    return words.isEmpty ? nil : words.joined(separator: ", kernels for ")
  }
}

/// `cblas_sgemm`, with either width of integers.
private enum Sgemm {
  typealias Narrow =
    @convention(c) (
      Int32, Int32, Int32, Int32, Int32, Int32, Float, UnsafePointer<Float>, Int32, UnsafePointer<Float>,
      Int32,
      Float, UnsafeMutablePointer<Float>, Int32
    ) -> Void
  typealias Wide =
    @convention(c) (
      Int32, Int32, Int32, Int, Int, Int, Float, UnsafePointer<Float>, Int, UnsafePointer<Float>, Int, Float,
      UnsafeMutablePointer<Float>, Int
    ) -> Void

  case narrow(Narrow)
  case wide(Wide)

  init(_ address: UnsafeMutableRawPointer, _ naming: BLASLibrary.Naming) {
    self =
      naming.hasWideIntegers
      ? .wide(unsafeBitCast(address, to: Wide.self)) : .narrow(unsafeBitCast(address, to: Narrow.self))
  }

  // CBLAS_ORDER and CBLAS_TRANSPOSE of cblas.h.
  private static let rowMajor: Int32 = 101
  private static let noTranspose: Int32 = 111
  private static let transpose: Int32 = 112

  func callAsFunction(
    _ a: Matrix, _ b: Matrix, _ isTransposed: Bool, _ beta: Float, _ c: MutableMatrix
  ) {
    let transposeB = isTransposed ? Self.transpose : Self.noTranspose
    switch self {
    case .narrow(let sgemm):
      sgemm(
        Self.rowMajor, Self.noTranspose, transposeB, Int32(c.rows), Int32(c.columns), Int32(a.columns), 1,
        a.base, Int32(a.stride), b.base, Int32(b.stride), beta, c.base, Int32(c.stride))
    case .wide(let sgemm):
      sgemm(
        Self.rowMajor, Self.noTranspose, transposeB, c.rows, c.columns, a.columns, 1, a.base, a.stride,
        b.base,
        b.stride, beta, c.base, c.stride)
    }
  }
}
