using System.Text;
using CsCheck;
using TinyLlm.SafeTensors.Tests.Fuzzing;

namespace TinyLlm.SafeTensors.Tests;

public sealed class SafeTensorsWriterTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("tinyllm-safetensors-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Write_ThenRead_IsTheIdentity() => Model.Generate.Sample(
        model =>
        {
            // 1. Through memory, and through the file that is mapped.
            byte[] written = Write(model);
            string path = Path.Combine(_folder.FullName, $"{Guid.NewGuid():n}.safetensors");
            SafeTensorsWriter.WriteFile(path, model.Sources, model.Metadata);
            using SafeTensorsFile file = SafeTensorsFile.Open(path);

            // 2. The same bytes, and in them the same tensors and metadata.
            Assert.Equal(written, File.ReadAllBytes(path));
            Assert.NotNull(Oracle.Judge(written));
            Assert.Equal(model.Tensors.Count, file.Header.Tensors.Length);
            foreach (Model.Tensor tensor in model.Tensors)
            {
                Assert.True(file.Header.TryGet(tensor.Name, out TensorInfo? info));
                Assert.Equal(tensor.DType, info.DType);
                Assert.Equal(tensor.Shape, info.Shape);
                Assert.True(file.GetBytes(info).SequenceEqual(tensor.Bytes));
            }
            Assert.Equal(model.Metadata.ToHashSet(), [.. file.Header.Metadata]);

            // 3. Data begin at a multiple of 8 and each tensor at one of its element.
            Assert.Equal(0, file.Header.DataOffset % 8);
            Assert.All(file.Header.Tensors, tensor => Assert.Equal(0, tensor.Begin % Math.Max(1, tensor.DType.BitsPerElement() / 8)));
            File.Delete(path);
        },
        iter: 1_000,
        threads: 1);

    [Fact]
    public void Write_TensorsInAnyOrder_GivesTheSameBytes()
    {
        TensorSource[] sources =
        [
            new("b", DType.F32, [2], new byte[8]), new("a", DType.F32, [1], new byte[4]),
            new("z", DType.I64, [], new byte[8]), new("c", DType.U8, [3], new byte[3]),
        ];
        Dictionary<string, string> metadata = new() { ["y"] = "1", ["x"] = "2" };
        MemoryStream forward = new();
        MemoryStream backward = new();

        SafeTensorsWriter.Write(forward, sources, metadata);
        SafeTensorsWriter.Write(backward, [.. sources.Reverse()], metadata.Reverse().ToDictionary());

        Assert.Equal(forward.ToArray(), backward.ToArray());
        const string Expected = """
            {"__metadata__":{"x":"2","y":"1"},
            "z":{"dtype":"I64","shape":[],"data_offsets":[0,8]},
            "a":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},
            "b":{"dtype":"F32","shape":[2],"data_offsets":[12,20]},
            "c":{"dtype":"U8","shape":[3],"data_offsets":[20,23]}}
            """;
        Assert.Equal(Expected.ReplaceLineEndings(""), Encoding.UTF8.GetString(forward.ToArray()[8..^23]).TrimEnd(' '));
    }

    [Fact]
    public void Write_NoTensorAndNoMetadata_IsAnEmptyObject()
    {
        MemoryStream stream = new();

        SafeTensorsWriter.Write(stream, [], null);

        Assert.Equal("\b\0\0\0\0\0\0\0{}      ", Encoding.ASCII.GetString(stream.ToArray()));
    }

    [Fact]
    public void Write_RefusedModel_WritesNotAByte()
    {
        MemoryStream stream = new();

        Assert.Throws<SafeTensorsException>(() => SafeTensorsWriter.Write(stream, [new TensorSource("a..b", DType.U8, [1], new byte[1])], null));

        Assert.Equal(0, stream.Length);
    }

    [Fact]
    public void Write_TensorFromACallbackInPieces_HasAllOfThem()
    {
        MemoryStream stream = new();

        SafeTensorsWriter.Write(stream, [new TensorSource("a", DType.U16, [3], WritePieces)], null);

        Assert.Equal([1, 2, 3, 4, 5, 6], stream.ToArray()[^6..]);

        static void WritePieces(Stream target)
        {
            target.Write([1, 2, 3]);
            target.Write([9, 4, 5, 9], 1, 2);
            target.WriteByte(6);
            target.Flush();
        }
    }

    [Fact]
    public void WriteFile_RefusedModel_LeavesTheOlderFileAndNothingElse()
    {
        string path = Path.Combine(_folder.FullName, "model.safetensors");
        SafeTensorsWriter.WriteFile(path, [], null);
        byte[] older = File.ReadAllBytes(path);

        SafeTensorsException refused = Assert.Throws<SafeTensorsException>(
            () => SafeTensorsWriter.WriteFile(path, [new TensorSource("ab", DType.U8, [3], stream => stream.Write([1, 2]))], null));

        Assert.Equal((SafeTensorsError.SizeMismatch, "model.safetensors"), (refused.Error, refused.FileName));
        Assert.Equal(older, File.ReadAllBytes(path));
        Assert.Single(_folder.GetFileSystemInfos());
    }

    [Fact]
    public void WriteFile_OverAMappedFile_LeavesTheMappingItsBytes()
    {
        string path = Path.Combine(_folder.FullName, "model.safetensors");
        SafeTensorsWriter.WriteFile(path, [new TensorSource("a", DType.U8, [100_000], Enumerable.Repeat((byte)1, 100_000).ToArray())], null);
        using SafeTensorsFile mapped = SafeTensorsFile.Open(path);

        SafeTensorsWriter.WriteFile(path, [new TensorSource("a", DType.U8, [1], new byte[] { 2 })], null);

        Assert.Equal(-1, mapped.GetBytes(mapped.Header.Tensors[0]).IndexOfAnyExcept((byte)1));
        using SafeTensorsFile replaced = SafeTensorsFile.Open(path);
        Assert.Equal([2], replaced.GetBytes(replaced.Header.Tensors[0]).ToArray());
    }

    [Fact]
    public void TensorSource_NegativeDimensionOrNoShape_Throws()
    {
        Assert.Throws<ArgumentException>(() => new TensorSource("a", DType.U8, [-1], Array.Empty<byte>()));
        Assert.Throws<ArgumentException>(() => new TensorSource("a", DType.U8, default, Array.Empty<byte>()));
    }

    private static byte[] Write(Model model)
    {
        MemoryStream stream = new();
        SafeTensorsWriter.Write(stream, model.Sources, model.Metadata);
        return stream.ToArray();
    }
}
