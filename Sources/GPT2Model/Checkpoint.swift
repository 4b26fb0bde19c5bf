import Foundation
import Synchronization

/// The weights of one GPT-2, read-only, each tensor checked against the configuration, float32 for whoever reads. They
/// lie in memory or in mapped files, whose pages processes share. What a file holds otherwise, in half precision or
/// (out, in), `copyOnce` and `withMatrixOnce` hand over on its way to where it is used, without a second copy of the
/// model. A checkpoint outlives every pointer it hands out; keep it.
public final class Checkpoint: @unchecked Sendable {
  /// The name to print: a synthetic model's, or the path.
  public let name: String
  public let configuration: Configuration
  /// The files that hold the weights; empty for weights that exist only in memory.
  public let files: [String]

  /// In the order of `configuration.parameters`.
  private let tensors: [StoredTensor]
  private let parameters: [Parameter]
  /// By number: what was asked for as floats and is something else in the file.
  private let widened = Mutex<[Int: Widened]>([:])

  private struct Widened: @unchecked Sendable { let values: UnsafeMutableBufferPointer<Float> }

  /// - Parameter tensors: where each of `configuration.parameters` lies, within its mapping.
  init(name: String, configuration: Configuration, files: [String], tensors: [StoredTensor]) {
    (self.name, self.configuration, self.files, self.tensors) = (name, configuration, files, tensors)
    parameters = configuration.parameters
    precondition(tensors.count == parameters.count)
    for (tensor, parameter) in zip(tensors, parameters) {
      precondition(tensor.offset >= 0 && tensor.bytes(0..<parameter.count).upperBound <= tensor.mapping.count)
    }
  }

  deinit {
    widened.withLock { for copy in $0.values { copy.values.deallocate() } }
  }

  /// Bytes of all weights in float32.
  public var weightBytes: Int { configuration.parameterCount * MemoryLayout<Float>.stride }

  /// A tensor's values, row-major in `parameter.shape`, valid while the checkpoint lives. One that the file holds
  /// in another form is widened when it is asked for first, and kept.
  public func tensor(at index: Int) -> UnsafeBufferPointer<Float> {
    let count = parameters[index].count
    let stored = tensors[index]
    if stored.order == .inputsFirst, let floats = stored.floats(0..<count) {
      return UnsafeBufferPointer(start: floats, count: count)
    }
    let copy = widened.withLock { known in
      if let copy = known[index] { return copy }
      let copy = Widened(values: .allocate(capacity: count))
      read(index, into: copy.values, order: .inputsFirst)
      known[index] = copy
      return copy
    }
    return UnsafeBufferPointer(copy.values)
  }

  /// (vocabulary, channels)
  public var tokenEmbedding: UnsafeBufferPointer<Float> { tensor(at: 0) }

  /// (context, channels)
  public var positionEmbedding: UnsafeBufferPointer<Float> { tensor(at: 1) }

  public func tensor(_ parameter: LayerParameter, layer: Int) -> UnsafeBufferPointer<Float> {
    tensor(at: Configuration.index(of: parameter, layer: layer))
  }

  public var finalNormWeight: UnsafeBufferPointer<Float> { tensor(at: configuration.finalNormIndex) }
  public var finalNormBias: UnsafeBufferPointer<Float> { tensor(at: configuration.finalNormIndex + 1) }
}

extension Checkpoint {
  /// Copies some values of a tensor that is no linear weight, and gives the file's pages, mapped at once, back.
  /// - Parameter elements: a range of `parameter.shape`, row-major, that begins at a multiple of 1,024.
  public func copyOnce(_ index: Int, _ elements: Range<Int>, to target: UnsafeMutablePointer<Float>) {
    precondition(elements.lowerBound >= 0 && elements.upperBound <= parameters[index].count)
    precondition(elements.lowerBound % 1024 == 0 && parameters[index].role != .linearWeight)
    passing(elements, of: index) { $0.decode(elements, to: target) }
  }

  /// Hands over a linear weight for one who lays it out anew, in the order that the file has; otherwise as
  /// `copyOnce`. What is not float32 in the file is widened into memory that lasts as long as the call.
  public func withMatrixOnce(_ index: Int, _ body: (UnsafePointer<Float>, MatrixOrder) -> Void) {
    let elements = 0..<parameters[index].count
    precondition(parameters[index].role == .linearWeight)
    passing(elements, of: index) { stored in
      stored.withFloats(elements.count, StoredTensor.decode) { body($0, stored.order) }
    }
  }

  private func passing(_ elements: Range<Int>, of index: Int, _ body: (StoredTensor) -> Void) {
    let stored = tensors[index]
    stored.mapping.populatePages(stored.bytes(elements))
    body(stored)
    stored.mapping.releasePages(stored.bytes(elements))
  }

  /// Gives the files' pages back to the system for now. Those still needed come back when they are read.
  public func releaseAllPages() {
    var released: Set<ObjectIdentifier> = []
    for tensor in tensors where released.insert(ObjectIdentifier(tensor.mapping)).inserted {
      tensor.mapping.releasePages(0..<tensor.mapping.count)
    }
  }

  /// Copies a whole tensor, on all cores.
  func read(_ index: Int, into target: UnsafeMutableBufferPointer<Float>, order: MatrixOrder) {
    let parameter = parameters[index]
    let stored = tensors[index]
    precondition(target.count == parameter.count)
    guard parameter.role == .linearWeight, stored.order != order else {
      return stored.decodeInParallel(0..<parameter.count, to: target.baseAddress!)
    }
    let shape = stored.order == .inputsFirst ? parameter.shape : parameter.shape.reversed()
    stored.withFloats(parameter.count, StoredTensor.decodeInParallel) {
      transpose($0, rows: shape[0], columns: shape[1], to: target.baseAddress!)
    }
  }
}
