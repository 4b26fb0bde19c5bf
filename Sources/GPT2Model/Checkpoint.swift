import Foundation
import NumberFormats
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

  /// Weights in this process's memory.
  /// - Parameter body: fills the values of `configuration.parameters`, one at a time, in their order.
  public convenience init(
    inMemory configuration: Configuration, name: String,
    filling body: (UnsafeMutableBufferPointer<Float>, Int) -> Void
  ) throws(ModelError) {
    let mapping = try Mapping(anonymousBytes: configuration.parameterCount * MemoryLayout<Float>.stride)
    var tensors: [StoredTensor] = []
    var offset = 0
    for (index, parameter) in configuration.parameters.enumerated() {
      let start = (mapping.base + offset).bindMemory(to: Float.self, capacity: parameter.count)
      body(UnsafeMutableBufferPointer(start: start, count: parameter.count), index)
      tensors.append(StoredTensor(mapping: mapping, offset: offset, encoding: .float32))
      offset += parameter.count * MemoryLayout<Float>.stride
    }
    self.init(name: name, configuration: configuration, files: [], tensors: tensors)
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

  /// Hands over a matrix, a linear layer's weight or an embedding, for one who lays it out anew, a piece of about a megabyte
  /// after the other, in the order that the file has; otherwise as `copyOnce`. What is not float32 in the file is widened into memory that lasts as
  /// long as the piece.
  /// - Parameters:
  ///   - grain: pieces begin at multiples of so many rows of the file's matrix.
  ///   - body: gets the values of some rows, and their numbers.
  public func withMatrixOnce(
    _ index: Int, grain: Int, _ body: (UnsafePointer<Float>, _ rows: Range<Int>, MatrixOrder) -> Void
  ) {
    let isLinear = parameters[index].role == .linearWeight
    precondition(parameters[index].isMatrix && grain > 0)
    let stored = tensors[index]
    let shape = stored.order == .inputsFirst ? parameters[index].shape : parameters[index].shape.reversed()
    let (rows, columns) = (shape[0], shape[1])
    // A block of the file's encoding is not divided.
    let isDivisible = columns % stored.encoding.blockLength == 0
    let step = isDivisible ? max(Self.piece / (columns * grain), 1) * grain : rows
    for first in stride(from: 0, to: rows, by: step) {
      let last = min(first + step, rows)
      let elements = first * columns..<last * columns
      passing(elements, of: index) {
        $0.withFloats(elements, StoredTensor.decode) {
          body($0, first..<last, isLinear ? stored.order : .outputsFirst)
        }
      }
    }
  }

  /// Hands over a matrix, a linear layer's weight or an embedding, as blocks of 32 inputs, a piece after the other,
  /// otherwise as `withMatrixOnce`. A file's own blocks of that format are handed over as they lie there; what else there
  /// is, is quantized.
  /// - Parameters:
  ///   - grain: where the file has (outputs, inputs), pieces begin at multiples of so many outputs, and have all of their
  ///     blocks; else they have all outputs, of some blocks.
  ///   - body: gets blocks (outputs, blocks), row-major without gaps, and their numbers.
  /// - Throws: `ModelError.tensor` for a weight that is NaN, infinite, or above all that the format holds. `body` has
  ///   then had the pieces before.
  public func withBlocksOnce(
    _ index: Int, as format: BlockFormat, grain: Int,
    _ body: (_ blocks: UnsafeRawPointer, _ outputs: Range<Int>, _ blocks: Range<Int>) -> Void
  ) throws(ModelError) {
    let parameter = parameters[index]
    precondition(parameter.isMatrix && grain > 0)
    let order = parameter.role == .linearWeight ? tensors[index].order : .outputsFirst
    let (outputs, inputs) = parameter.matrix
    let blocks = BlockFormat.count(inputs: inputs)
    switch order {
    case .inputsFirst:
      let step = max(Self.piece / (outputs * BlockFormat.length), 1)
      for first in stride(from: 0, to: blocks, by: step) {
        let piece = first..<min(first + step, blocks)
        let rows = first * BlockFormat.length..<min(piece.upperBound * BlockFormat.length, inputs)
        try passBlocks(
          index, as: format, order, rows.lowerBound * outputs..<rows.upperBound * outputs, outputs: outputs,
          inputs: rows.count
        ) { body($0, 0..<outputs, piece) }
      }
    case .outputsFirst:
      let step = max(Self.piece / (inputs * grain), 1) * grain
      for first in stride(from: 0, to: outputs, by: step) {
        let piece = first..<min(first + step, outputs)
        try passBlocks(
          index, as: format, order, first * inputs..<piece.upperBound * inputs, outputs: piece.count,
          inputs: inputs
        ) { body($0, piece, 0..<blocks) }
      }
    }
  }

  /// - Parameter elements: the values of a matrix of that order and size, as the file counts them.
  private func passBlocks(
    _ index: Int, as format: BlockFormat, _ order: MatrixOrder, _ elements: Range<Int>, outputs: Int,
    inputs: Int, _ body: (UnsafeRawPointer) -> Void
  ) throws(ModelError) {
    let blocks = outputs * BlockFormat.count(inputs: inputs)
    var refused: (place: Int, value: Float)?
    passing(elements, of: index) { stored in
      if stored.encoding == format.encoding {
        let source = UnsafeRawPointer(stored.mapping.base + stored.bytes(elements).lowerBound)
        refused = format.firstWithoutScale(source, count: blocks)
        if refused == nil { body(source) }
        return
      }
      stored.withFloats(elements, StoredTensor.decode) { values in
        withUnsafeTemporaryAllocation(byteCount: blocks * format.bytes, alignment: 64) { memory in
          let target = memory.baseAddress!
          refused = format.quantize(values, order, outputs: outputs, inputs: inputs, to: target)
            .map { ($0, values[$0]) }
          if refused == nil { body(target) }
        }
      }
    }
    if let refused {
      let largest = format.largestWeight
      throw refusal(
        of: index, at: elements.lowerBound + refused.place, order, found: refused.value,
        expected: "a number from -\(largest) to \(largest) for \(format.rawValue)")
    }
  }

  /// Names a weight of a matrix that a format does not hold.
  /// - Parameters:
  ///   - element: its number in the whole matrix.
  ///   - order: of a linear weight, as the elements are counted; an embedding's are (tokens, channels).
  public func refusal(
    of index: Int, at element: Int, _ order: MatrixOrder, found value: Float, expected: String
  ) -> ModelError {
    let parameter = parameters[index]
    let isTurned = parameter.role == .linearWeight && order == .outputsFirst
    let columns = isTurned ? parameter.shape[0] : parameter.shape[1]
    let place = [element / columns, element % columns]
    return .tensor(
      path: name, name: parameter.name, property: "the weight at \(isTurned ? place.reversed() : place)",
      found: "\(value)", expected: expected)
  }

  /// Floats of a piece: a megabyte, so that a load has little of the file in memory beside what it made of it.
  private static let piece = 1 << 18

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
  /// - Parameter order: of a linear weight; whatever else there is lies in its parameter's shape.
  public func read(_ index: Int, into target: UnsafeMutableBufferPointer<Float>, order: MatrixOrder) {
    let parameter = parameters[index]
    let stored = tensors[index]
    precondition(target.count == parameter.count)
    guard parameter.role == .linearWeight, stored.order != order else {
      return stored.decodeInParallel(0..<parameter.count, to: target.baseAddress!)
    }
    let shape = stored.order == .inputsFirst ? parameter.shape : parameter.shape.reversed()
    stored.withFloats(0..<parameter.count, StoredTensor.decodeInParallel) {
      transpose($0, rows: shape[0], columns: shape[1], to: target.baseAddress!)
    }
  }
}
