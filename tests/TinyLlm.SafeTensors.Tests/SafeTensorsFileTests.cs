using TinyLlm.SafeTensors.Tests.Fuzzing;
using TinyLlm.Tests;

namespace TinyLlm.SafeTensors.Tests;

public sealed class SafeTensorsFileTests : IDisposable
{
    private const string TwoTensors = """
        {"b":{"dtype":"U8","shape":[2],"data_offsets":[3,5]},"a":{"dtype":"I8","shape":[3,1],"data_offsets":[0,3]}}
        """;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("tinyllm-safetensors-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Open_LegalFile_GivesEachTensorItsBytes()
    {
        string path = Store(FileText.File(TwoTensors, 5));

        using SafeTensorsFile file = SafeTensorsFile.Open(path);

        Assert.Equal(["a", "b"], file.Header.Tensors.Select(tensor => tensor.Name));
        Assert.Equal([0, 1, 2], file.GetBytes(file.Header.Tensors[0]).ToArray());
        Assert.Equal([3, 4], file.GetBytes(file.Header.Tensors[1]).ToArray());
    }

    [Fact]
    public unsafe void GetPointer_Tensor_PointsAtTheBytesOfItsSpan()
    {
        using SafeTensorsFile file = SafeTensorsFile.Open(Store(FileText.File(TwoTensors, 5)));

        foreach (TensorInfo tensor in file.Header.Tensors)
        {
            fixed (byte* span = file.GetBytes(tensor)) Assert.Equal((nint)span, (nint)file.GetPointer(tensor));
        }
    }

    [Fact]
    public unsafe void GetBytes_TensorOfTwoGiB_RefusesTheSpanAndGivesThePointer()
    {
        const long Bytes = 1L << 31;
        string path = Store(FileText.File($"{{{FileText.Entry("ab", "U8", $"{Bytes}", $"0,{Bytes}")}}}", 0));
        using (FileStream sparse = new(path, FileMode.Open))
        {
            sparse.SetLength(sparse.Length + Bytes);
            sparse.Position = sparse.Length - 1;
            sparse.WriteByte(7);
        }
        using SafeTensorsFile file = SafeTensorsFile.Open(path);

        SafeTensorsException refused = Assert.Throws<SafeTensorsException>(() => file.GetBytes(file.Header.Tensors[0]).Length);

        AssertRefusal(refused, SafeTensorsError.TensorTooLargeForSpan, "'ab'", $"{Bytes} bytes", $"{int.MaxValue}");
        Assert.Equal(7, file.GetPointer(file.Header.Tensors[0])[Bytes - 1]);
    }

    [Fact]
    public void GetBytes_TensorOfAnotherFile_IsRefused()
    {
        using SafeTensorsFile file = SafeTensorsFile.Open(Store(FileText.File(TwoTensors, 5)));
        TensorInfo[] foreign =
        [
            new("c", DType.U8, [1], 0, 1), new("a", DType.I8, [4], 0, 4), new("a", DType.I8, [3], -3, 0), new("a", DType.I8, [3], 0, long.MaxValue),
        ];

        foreach (TensorInfo tensor in foreign)
        {
            SafeTensorsException refused = Assert.Throws<SafeTensorsException>(() => file.GetBytes(tensor).Length);
            AssertRefusal(refused, SafeTensorsError.TensorNotInFile, $"'{tensor.Name}'", $"[{tensor.Begin}, {tensor.End}]", "file's 2");
        }
    }

    [Fact]
    public void GetBytes_EqualTensorOfAnotherReading_IsFound()
    {
        string path = Store(FileText.File(TwoTensors, 5));
        using SafeTensorsFile file = SafeTensorsFile.Open(path);
        using SafeTensorsFile again = SafeTensorsFile.Open(path);

        Assert.Equal(file.GetBytes(file.Header.Tensors[0]), file.GetBytes(again.Header.Tensors[0]));
        Assert.Equal(file.Header.Tensors[0], again.Header.Tensors[0]);
        Assert.Equal(file.Header.Tensors[0].GetHashCode(), again.Header.Tensors[0].GetHashCode());
    }

    [Fact]
    public unsafe void Access_AfterDispose_Throws()
    {
        SafeTensorsFile file = SafeTensorsFile.Open(Store(FileText.File(TwoTensors, 5)));
        file.Dispose();
        file.Dispose();

        Assert.Throws<ObjectDisposedException>(() => file.GetBytes(file.Header.Tensors[0]).Length);
        Assert.Throws<ObjectDisposedException>(() => (nint)file.GetPointer(file.Header.Tensors[0]));
    }

    [Fact]
    public void Open_NoFile_IsFileMissing()
    {
        AssertRefusal(Open(Path.Combine(_folder.FullName, "gone.safetensors")), SafeTensorsError.FileMissing, "no file");
        AssertRefusal(Open(Path.Combine(_folder.FullName, "no", "folder", "gone.safetensors")), SafeTensorsError.FileMissing, "no file");
    }

    [Fact]
    public void Open_Directory_IsNotAFile()
    {
        Directory.CreateDirectory(Path.Combine(_folder.FullName, "folder.safetensors"));

        AssertRefusal(Open(Path.Combine(_folder.FullName, "folder.safetensors")), SafeTensorsError.NotAFile, "directory");
    }

    [Fact]
    public void Open_FileHeldByAnother_IsFileUnreadableWithItsCause()
    {
        string path = Store(FileText.File(TwoTensors, 5));
        using FileStream held = new(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);

        SafeTensorsException refused = Open(path);

        AssertRefusal(refused, SafeTensorsError.FileUnreadable, "0x");
        Assert.IsType<IOException>(refused.InnerException);
    }

    [Fact]
    public void Open_FileCutAtAnyLength_IsRefusedAndLeavesTheFileFree()
    {
        byte[] whole = FileText.File(TwoTensors, 5);
        for (int length = 0; length < whole.Length; length++)
        {
            string path = Store(whole[..length]);
            int dataOffset = whole.Length - 5;
            (SafeTensorsError expected, int end) = length switch
            {
                < 8 => (SafeTensorsError.FileTooShort, length),
                _ when length < dataOffset => (SafeTensorsError.HeaderPastEnd, length),
                _ => (SafeTensorsError.DataPastEnd, length - dataOffset),
            };

            AssertRefusal(Open(path), expected, $"{end}");

            // Neither a handle nor a mapping may be left: this open would meet them.
            using FileStream exclusive = new(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
        }
    }

    [Fact]
    public void Open_ReferenceData_IsLegal()
    {
        string[] files = Directory.GetFiles(TestData.Require("."), "*.safetensors", SearchOption.AllDirectories);

        Assert.NotEmpty(files);
        foreach (string path in files)
        {
            using SafeTensorsFile file = SafeTensorsFile.Open(path);
            Assert.NotEmpty(file.Header.Tensors);
            Assert.Equal(new FileInfo(path).Length, file.Header.DataOffset + file.Header.DataBytes);
        }
    }

    [Fact]
    public void Open_AllRefusalsOfAFile_NameItWithoutItsFolder()
    {
        SafeTensorsException refused = Open(Store(FileText.File("{}", 1)));

        Assert.Equal("model.safetensors", refused.FileName);
        Assert.DoesNotContain(_folder.Name, refused.Message, StringComparison.Ordinal);
    }

    private static SafeTensorsException Open(string path) => Assert.Throws<SafeTensorsException>(() => SafeTensorsFile.Open(path));

    private void AssertRefusal(SafeTensorsException refused, SafeTensorsError error, params string[] messageParts)
    {
        Assert.Equal(error, refused.Error);
        Assert.All(messageParts, part => Assert.Contains(part, refused.Message, StringComparison.Ordinal));
        Assert.DoesNotContain(_folder.FullName, refused.Message, StringComparison.Ordinal);
    }

    private string Store(byte[] bytes)
    {
        string path = Path.Combine(_folder.FullName, "model.safetensors");
        File.WriteAllBytes(path, bytes);
        return path;
    }
}
