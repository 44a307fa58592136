using TinyLlm.SafeTensors;
using TinyLlm.Tests;

namespace TinyLlm.Engine.Tests;

public sealed class CheckpointTests
{
    [Fact]
    public void Open_Stories260K_CountsItsWeights()
    {
        using Checkpoint checkpoint = Checkpoint.Open(TestData.Require("models/stories260K"));
        Assert.Equal(new CheckpointFacts("LlamaForCausalLM", 260032, 47, 1040128, 512, 512), checkpoint.Facts);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Open_OneFileOrShards_Alike(int shards)
    {
        using TinyCheckpoint tiny = new();
        using Checkpoint checkpoint = Checkpoint.Open(tiny.Write(shards));
        Assert.Equal(tiny.Tensors.Count, checkpoint.Facts.TensorCount);
        Assert.Equal(checkpoint.Facts.ParameterCount * 4, checkpoint.Facts.WeightBytes);
    }

    [Fact]
    public void Open_TensorsThatRepeatOthers_AreAllowedAndNotCounted()
    {
        using TinyCheckpoint tiny = new();
        tiny.Config["tie_word_embeddings"] = true;
        tiny.Set("model.layers.0.self_attn.rotary_emb.inv_freq", [2], [1, 0.01f]);
        using Checkpoint checkpoint = Checkpoint.Open(tiny.Write());
        Assert.Equal(tiny.Tensors.Count - 2, checkpoint.Facts.TensorCount);
    }

    [Fact]
    public void Open_TensorMissing_NamesIt() => Refuse(
        ModelFormatError.MissingTensor, "model.layers.1.mlp.up_proj.weight", tiny => tiny.Tensors.Remove("model.layers.1.mlp.up_proj.weight"));

    [Fact]
    public void Open_HeadMissingAndNotTied_NamesIt() => Refuse(ModelFormatError.MissingTensor, "lm_head.weight", tiny => tiny.Tensors.Remove("lm_head.weight"));

    [Fact]
    public void Open_TensorLeftOver_NamesIt() => Refuse(
        ModelFormatError.UnexpectedTensor, "model.layers.2.input_layernorm.weight", tiny => tiny.Set("model.layers.2.input_layernorm.weight", [16], new float[16]));

    [Fact]
    public void Open_BiasThatTheArchitectureLacks_NamesIt() => Refuse(
        ModelFormatError.UnexpectedTensor, "model.layers.0.self_attn.q_proj.bias", tiny => tiny.Set("model.layers.0.self_attn.q_proj.bias", [16], new float[16]));

    [Fact]
    public void Open_WrongShape_NamesItAndBothShapes() => Refuse(
        ModelFormatError.WrongTensorShape, "model.layers.0.mlp.up_proj.weight", tiny => tiny.Set("model.layers.0.mlp.up_proj.weight", [16, 24], new float[16 * 24]), "(16, 24)", "(24, 16)");

    [Fact]
    public void Open_WrongDType_NamesIt() => Refuse(
        ModelFormatError.WrongTensorDType, "model.norm.weight", tiny => tiny.Tensors["model.norm.weight"] = (DType.F64, [16], new byte[128]), "F64");

    [Fact]
    public void Validate_SameNameInTwoFiles_NamesIt()
    {
        using TinyCheckpoint tiny = new();
        using Checkpoint checkpoint = Checkpoint.Open(tiny.Write());
        using SafeTensorsFile file = SafeTensorsFile.Open(Path.Combine(tiny.Folder, "model.safetensors"));
        ModelFormatException thrown = Assert.Throws<ModelFormatException>(
            () => CheckpointLayout.Validate(checkpoint.Config, file.Header.Tensors.SelectMany(tensor => new[] { ("a", tensor), ("b", tensor) })));
        Assert.Equal((ModelFormatError.DuplicateTensor, "b", file.Header.Tensors[0].Name), (thrown.Error, thrown.File, thrown.Tensor));
    }

    [Theory]
    [InlineData("config.json")]
    [InlineData("model.safetensors")]
    public void Open_FileMissing_NamesIt(string file)
    {
        using TinyCheckpoint tiny = new();
        tiny.Write();
        File.Delete(Path.Combine(tiny.Folder, file));
        ModelFormatException thrown = Assert.Throws<ModelFormatException>(() => Checkpoint.Open(tiny.Folder));
        Assert.Equal((ModelFormatError.MissingFile, file), (thrown.Error, thrown.File));
        Assert.DoesNotContain(tiny.Folder, thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_ShardMissing_IsTheIndexsError()
    {
        using TinyCheckpoint tiny = new();
        tiny.Write(shards: 3);
        File.Delete(Path.Combine(tiny.Folder, "model-00002-of-00003.safetensors"));
        Assert.Equal(SafeTensorsError.ShardMissing, Assert.Throws<SafeTensorsException>(() => Checkpoint.Open(tiny.Folder)).Error);
    }

    [Fact]
    public void Open_IndexBroken_NamesTheIndex()
    {
        using TinyCheckpoint tiny = new();
        tiny.Write(shards: 2);
        File.WriteAllText(Path.Combine(tiny.Folder, "model.safetensors.index.json"), "{");
        Assert.Equal("model.safetensors.index.json", Assert.Throws<SafeTensorsException>(() => Checkpoint.Open(tiny.Folder)).FileName);
    }

    private static void Refuse(ModelFormatError error, string tensor, Action<TinyCheckpoint> change, params string[] inMessage)
    {
        using TinyCheckpoint tiny = new();
        change(tiny);
        tiny.Write();
        ModelFormatException thrown = Assert.Throws<ModelFormatException>(() => Checkpoint.Open(tiny.Folder));
        Assert.Equal((error, "model.safetensors", tensor), (thrown.Error, thrown.File, thrown.Tensor));
        Assert.All(inMessage.Append(tensor), part => Assert.Contains(part, thrown.Message, StringComparison.Ordinal));

        // The refusal left no file open or mapped: on every system the folder can now be deleted, which Dispose does.
    }
}
