using TinyLlm.SafeTensors;
using TinyLlm.Tests;

namespace TinyLlm.Engine.Tests;

/// <summary>Every tensor of every architecture is needed by its name and in its shape, and no other is taken.</summary>
public sealed class ArchitectureLayoutTests
{
    public static TheoryData<string> Architectures { get; } = [.. TinyShapes.Architectures];

    public static TheoryData<string, string> Variants { get; } = ArchitectureVariants.All();

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Validate_AnyTensorMissing_NamesIt(string architecture)
    {
        (DecoderConfig config, TensorInfo[] tensors) = Open(architecture);
        foreach (TensorInfo tensor in tensors)
        {
            ModelFormatException thrown = Refuse(config, tensors.Where(other => other != tensor));
            Assert.Equal((ModelFormatError.MissingTensor, tensor.Name), (thrown.Error, thrown.Tensor));
        }
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Validate_AnyShapeWrong_NamesItAndBothShapes(string architecture)
    {
        (DecoderConfig config, TensorInfo[] tensors) = Open(architecture);
        foreach (TensorInfo tensor in tensors)
        {
            TensorInfo wrong = tensor with { Shape = [.. tensor.Shape.Select((size, i) => i == 0 ? size + 1 : size)] };
            ModelFormatException thrown = Refuse(config, tensors.Select(other => other == tensor ? wrong : other));
            Assert.Equal((ModelFormatError.WrongTensorShape, tensor.Name), (thrown.Error, thrown.Tensor));
            Assert.Contains($"({string.Join(", ", wrong.Shape)})", thrown.Message, StringComparison.Ordinal);
            Assert.Contains($"({string.Join(", ", tensor.Shape)})", thrown.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Validate_AnyTensorOfAnotherType_NamesIt(string architecture)
    {
        (DecoderConfig config, TensorInfo[] tensors) = Open(architecture);
        foreach (TensorInfo tensor in tensors)
        {
            ModelFormatException thrown = Refuse(config, tensors.Select(other => other == tensor ? tensor with { DType = DType.F64 } : other));
            Assert.Equal((ModelFormatError.WrongTensorDType, tensor.Name), (thrown.Error, thrown.Tensor));
        }
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Validate_TensorLeftOver_NamesIt(string architecture)
    {
        (DecoderConfig config, TensorInfo[] tensors) = Open(architecture);
        TensorInfo extra = tensors[0] with { Name = tensors[0].Name + ".extra" };
        ModelFormatException thrown = Refuse(config, tensors.Append(extra));
        Assert.Equal((ModelFormatError.UnexpectedTensor, extra.Name), (thrown.Error, thrown.Tensor));
    }

    /// <summary>The bytes that a load reserves are those of what the decoder uses, by the precision it computes in.</summary>
    [Theory]
    [MemberData(nameof(Variants))]
    public void WeightBytes_Variant_CountsWhatIsUsed(string architecture, string variant)
    {
        using TinyCheckpoint tiny = ArchitectureVariants.Make(architecture, variant);
        using Checkpoint checkpoint = Checkpoint.Open(tiny.Write());
        bool isTied = checkpoint.Config.Output == OutputMatrix.Embedding;
        (long Vectors, long Matrices) expected = (0, 0);
        foreach ((string name, (DType dtype, long[] shape, byte[] bytes)) in tiny.Tensors)
        {
            bool isUnused = dtype != DType.F32 || name.EndsWith("inv_freq", StringComparison.Ordinal) || shape.Length == 0 || (isTied && name == "lm_head.weight") || (isTied && name == "embed_out.weight");
            if (isUnused) continue;
            if (shape.Length == 1) expected.Vectors += bytes.Length;
            else expected.Matrices += bytes.Length;
        }
        Assert.Equal(expected.Vectors + expected.Matrices, checkpoint.Facts.WeightBytes);
        Assert.Equal(expected.Vectors + expected.Matrices, CheckpointLayout.WeightBytes(checkpoint.Config, ComputePrecision.F32));
        Assert.Equal(expected.Vectors + expected.Matrices / 2, CheckpointLayout.WeightBytes(checkpoint.Config, ComputePrecision.BF16));
    }

    private static (DecoderConfig Config, TensorInfo[] Tensors) Open(string architecture)
    {
        using TinyCheckpoint tiny = new(architecture);
        tiny.Write();
        using SafeTensorsFile file = SafeTensorsFile.Open(Path.Combine(tiny.Folder, "model.safetensors"));
        using Checkpoint checkpoint = Checkpoint.Open(tiny.Folder);
        return (checkpoint.Config, [.. file.Header.Tensors]);
    }

    private static ModelFormatException Refuse(DecoderConfig config, IEnumerable<TensorInfo> tensors) => Assert.Throws<ModelFormatException>(
        () => CheckpointLayout.Validate(config, tensors.Select(tensor => ("model.safetensors", tensor))));
}
