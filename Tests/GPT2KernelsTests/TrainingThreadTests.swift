import TestSupport
import Testing

@testable import GPT2Kernels

/// The operations of training that go row by row or piece by piece: the same bits on any number of threads, at shapes that
/// no vector, piece or number of threads divides. Those of attention and of linear layers are in TrainingAttentionTests.
struct TrainingThreadTests {
  /// Rows and columns. Beyond 64 columns embeddings have several pieces.
  private static let shapes = [(rows: 1, columns: 7), (rows: 5, columns: 65), (rows: 13, columns: 771)]

  /// Every variant that computes in float32, and `packed` with each width of vectors.
  static let kernels = KernelCase.all.filter { $0.threads == 1 }

  /// What an operation leaves in its buffers must be what it leaves on one thread.
  ///
  /// - Parameter run: makes the operands anew, and returns those that the operation wrote.
  private func expectSameBits(
    _ kernelCase: KernelCase, _ name: String, _ run: (any Kernel) -> [GuardedFloats]
  ) {
    func values(_ threads: Int) -> [[Float]] {
      let buffers = run(kernelCase.kernel(threads: threads))
      let guardsHold = buffers.allSatisfy(\.guardsHold)
      #expect(guardsHold, "\(name) on \(threads) threads")
      return buffers.map(\.values)
    }
    let one = values(1)
    for threads in [2, 3] {
      for (index, (found, expected)) in zip(values(threads), one).enumerated() {
        let place = firstBitDifference(found, expected)
        expectNil(place, "\(name) on \(threads) threads: buffer \(index)")
      }
    }
  }

  @Test(arguments: kernels) func layerNorm(_ kernelCase: KernelCase) {
    for (rows, channels) in Self.shapes {
      var random = RandomStream(seed: UInt64(channels))
      let (x, dy) = (random.floats(rows * channels, center: 0.5), random.floats(rows * channels))
      let (weight, start) = (random.floats(channels, center: 1), random.floats(rows * channels))
      let (dw, db) = (random.floats(channels), random.floats(channels))
      expectSameBits(kernelCase, "layer norm of \(rows) × \(channels)") { kernel in
        let (input, outputs, weights) = (GuardedFloats(x), GuardedFloats(dy), GuardedFloats(weight))
        let gradients = [GuardedFloats(start), GuardedFloats(dw), GuardedFloats(db)]
        let scratch = GuardedFloats(LayerNormGradient.scratchCount(rows: rows))
        kernel.run(
          LayerNormGradient(
            input: Matrix(input.base, rows: rows, columns: channels),
            weight: Vector(weights.base, count: channels), epsilon: 1e-5,
            outputGradient: Matrix(outputs.base, rows: rows, columns: channels),
            inputGradient: MutableMatrix(gradients[0].base, rows: rows, columns: channels),
            weightGradient: gradients[1].base, biasGradient: gradients[2].base, scratch: scratch.base))
        return gradients + [input, outputs, weights, scratch]
      }
    }
  }

  /// Beyond 4096 elements there are several pieces.
  @Test(arguments: kernels) func gelu(_ kernelCase: KernelCase) {
    for count in [7, 4099, 12_301] {
      var random = RandomStream(seed: UInt64(count))
      let (x, dy) = (random.floats(count, spread: 8), random.floats(count))
      expectSameBits(kernelCase, "GELU of \(count)") { kernel in
        let (inputs, gradient) = (GuardedFloats(x), GuardedFloats(dy))
        kernel.run(GELUGradient(inputs: inputs.base, gradient: gradient.base, count: count))
        return [inputs, gradient]
      }
    }
  }

  @Test(arguments: kernels) func crossEntropy(_ kernelCase: KernelCase) {
    for (rows, vocabulary) in Self.shapes {
      var random = RandomStream(seed: UInt64(vocabulary))
      let values = random.floats(rows * vocabulary, center: 10, spread: 8)
      let targets = random.ids(rows, below: vocabulary).map(Int32.init)
      expectSameBits(kernelCase, "cross-entropy of \(rows) × \(vocabulary)") { kernel in
        let (logits, losses) = (GuardedFloats(values), GuardedFloats(rows))
        targets.withUnsafeBufferPointer {
          kernel.run(
            CrossEntropy(
              logits: MutableMatrix(logits.base, rows: rows, columns: vocabulary),
              targets: $0.baseAddress!, losses: losses.base, scale: 0.125))
        }
        return [logits, losses]
      }
    }
  }

  /// Beyond 8192 elements there are several pieces.
  @Test(arguments: kernels) func dropout(_ kernelCase: KernelCase) {
    for count in [7, 8195, 24_601] {
      var random = RandomStream(seed: UInt64(count))
      let start = random.floats(count)
      expectSameBits(kernelCase, "dropout of \(count)") { kernel in
        let values = GuardedFloats(start)
        kernel.run(DropoutScaling(values.base, count: count, dropout: Dropout(rate: 0.3, seed: 5)))
        return [values]
      }
    }
  }

  /// Few tokens and many rows, so that rows meet in a token's gradient.
  @Test(arguments: kernels) func embedding(_ kernelCase: KernelCase) {
    let (batch, vocabulary) = (3, 4)
    for (context, channels) in Self.shapes {
      let rows = batch * context
      var random = RandomStream(seed: UInt64(channels))
      let tokens = random.ids(rows, below: vocabulary).map(Int32.init)
      let gradient = random.floats(rows * channels)
      let (byToken, byPosition) = (random.floats(vocabulary * channels), random.floats(context * channels))
      expectSameBits(kernelCase, "embedding of \(rows) × \(channels)") { kernel in
        let (source, token, position) = (
          GuardedFloats(gradient), GuardedFloats(byToken), GuardedFloats(byPosition)
        )
        tokens.withUnsafeBufferPointer {
          kernel.run(
            EmbeddingGradient(
              tokens: $0.baseAddress!, batch: batch, context: context,
              gradient: Matrix(source.base, rows: rows, columns: channels),
              tokenGradient: token.base, positionGradient: position.base))
        }
        return [source, token, position]
      }
    }
  }
}
