using System.Buffers.Binary;
using System.Text;
using TinyLlm.SafeTensors.Tests.Fuzzing;

namespace TinyLlm.SafeTensors.Tests;

/// <summary>What is legal, at and beside its bounds, and what reading it costs. What is not is in <see cref="RuleTests"/>.</summary>
public sealed class SafeTensorsHeaderTests
{
    private const int EightyMegabytes = 80_000_000;

    public static TheoryData<DType> DTypes => [.. Enum.GetValues<DType>()];

    [Theory]
    [MemberData(nameof(DTypes))]
    public void Parse_EachDType_HasItsWidthAndName(DType dtype)
    {
        int bytes = dtype.BitsPerElement();

        SafeTensorsHeader header = Parse($"{{{FileText.Entry("ab", dtype.WireName(), "2,4", $"0,{bytes}")}}}", bytes);

        TensorInfo tensor = Assert.Single(header.Tensors);
        Assert.Equal((dtype, 8L, (long)bytes), (tensor.DType, tensor.ElementCount, tensor.ByteCount));
        Assert.Equal(dtype, SafeTensors.DTypes.FromWireName(dtype.WireName()));
        Assert.Null(SafeTensors.DTypes.FromWireName(dtype.WireName().ToLowerInvariant()));
    }

    [Fact]
    public void WireName_AllDTypes_AreTheTwentyTwoOfTheFormat()
    {
        string[] expected =
        [
            "F4", "F6_E2M3", "F6_E3M2", "BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ",
            "I16", "U16", "F16", "BF16", "I32", "U32", "F32", "C64", "F64", "I64", "U64",
        ];
        int[] bits = [4, 6, 6, 8, 8, 8, 8, 8, 8, 8, 8, 16, 16, 16, 16, 32, 32, 32, 64, 64, 64, 64];

        Assert.Equal(expected, Enum.GetValues<DType>().Select(SafeTensors.DTypes.WireName));
        Assert.Equal(bits, Enum.GetValues<DType>().Select(SafeTensors.DTypes.BitsPerElement));
        Assert.Throws<ArgumentOutOfRangeException>(() => ((DType)22).WireName());
        Assert.Throws<ArgumentOutOfRangeException>(() => ((DType)22).BitsPerElement());
    }

    [Theory]
    [InlineData("", 1, 1)]
    [InlineData("1", 1, 1)]
    [InlineData("0", 0, 0)]
    [InlineData("3,0,5", 0, 0)]
    [InlineData("0,281474976710655,281474976710655", 0, 0)]
    [InlineData("281474976710655,0", 0, 0)]
    [InlineData("1,1,1,1,1,1,1,1", 1, 1)]
    [InlineData("2,1,2,1,2,1,2,1", 16, 16)]
    public void Parse_LegalShape_GivesItsCount(string shape, long elements, int bytes)
    {
        TensorInfo tensor = Assert.Single(Parse($"{{{FileText.Entry("ab", "U8", shape, $"0,{bytes}")}}}", bytes).Tensors);

        Assert.Equal((elements, (long)bytes), (tensor.ElementCount, tensor.ByteCount));
        Assert.Equal(shape, string.Join(',', tensor.Shape));
    }

    [Theory]
    [InlineData("a", "a")]
    [InlineData("a.b", "a.b")]
    [InlineData(".", ".")]
    [InlineData("é", "é")]
    [InlineData(@"\u00e9\n\t\b\f\r\/\\\""", "é\n\t\b\f\r/\\\"")]
    [InlineData(@"\ud83d\ude00😀", "😀😀")]
    [InlineData(@"\u0000ok", null)]
    [InlineData(@"\uD7FF\uE000\uFFFF", "\ud7ff\ue000\uffff")]
    [InlineData("__metadata", "__metadata")]
    [InlineData("__METADATA__", "__METADATA__")]
    public void Parse_NameInAnySpelling_IsUnescaped(string spelling, string? name)
    {
        string header = $"{{{FileText.Entry(spelling, "U8", "1", "0,1")}}}";

        if (name is null) Assert.Throws<SafeTensorsException>(() => Parse(header, 1));
        else Assert.True(Parse(header, 1).TryGet(name, out _));
    }

    [Fact]
    public void Parse_EscapedKeysAndDType_MeanWhatTheySpell()
    {
        SafeTensorsHeader header = Parse(
            """{"\u005f_metadata__":{"\u006b":"\u0076"},"a":{"\u0064type":"\u00558","sh\u0061pe":[1],"data\u005foffsets":[0,1]}}""", 1);

        Assert.Equal("v", header.Metadata["k"]);
        Assert.Equal(DType.U8, Assert.Single(header.Tensors).DType);
    }

    [Fact]
    public void Parse_EmptyHeader_HasNoTensorAndNoMetadata()
    {
        SafeTensorsHeader header = Parse("{}", 0);

        Assert.Empty(header.Tensors);
        Assert.Empty(header.Metadata);
        Assert.Equal((10L, 0L), (header.DataOffset, header.DataBytes));
    }

    [Fact]
    public void Parse_PaddingAndWhiteSpaceInside_AreLegal() =>
        Assert.Single(Parse("{ \n\t\"a\" : {\"shape\":[ 1 ],\r\n\"data_offsets\":[0 , 1],\"dtype\":\"U8\"} }       ", 1).Tensors);

    [Fact]
    public void Parse_TensorsInAnyOrder_AreGivenInOffsetOrderEmptyOnesFirst()
    {
        SafeTensorsHeader header = Parse(
            $"{{{FileText.Entry("d", "U8", "2", "5,7")},{FileText.Entry("c", "U8", "1", "4,5")},{FileText.Entry("b", "U8", "0", "4,4")},"
            + $"{FileText.Entry("z", "U8", "0", "7,7")},{FileText.Entry("y", "U8", "0", "7,7")},{FileText.Entry("a", "F32", "1", "0,4")}}}",
            7);

        Assert.Equal(["a", "b", "c", "d", "y", "z"], header.Tensors.Select(tensor => tensor.Name));
    }

    [Fact]
    public void Parse_UnalignedTensor_IsLegal() =>
        Assert.Equal(1, Parse($"{{{FileText.Entry("a", "U8", "1", "0,1")},{FileText.Entry("b", "F64", "1", "1,9")}}}", 9).Tensors[1].Begin);

    [Theory]
    [InlineData(0x04034b50, "zip")]
    [InlineData(0x00008b1f, "gzip")]
    [InlineData(0x00005a4d, "Windows executable")]
    public void Parse_HeaderLengthThatLooksLikeAnotherFormatsMagic_IsLegal(int headerBytes, string format)
    {
        byte[] file = FileText.File("{}".PadRight(headerBytes), 0);

        Assert.True(headerBytes == SafeTensorsHeader.ParsePrefix(file, file.Length), format);
        Assert.Empty(SafeTensorsHeader.Parse(file.AsSpan(8), file.Length).Tensors);
    }

    [Fact]
    public void ParsePrefix_LongestHeader_IsLegal()
    {
        byte[] prefix = BitConverter.GetBytes(100_000_000L);

        Assert.Equal(100_000_000, SafeTensorsHeader.ParsePrefix(prefix, 100_000_008));
        SafeTensorsException refused = Assert.Throws<SafeTensorsException>(() => SafeTensorsHeader.ParsePrefix(prefix, 100_000_007));
        Assert.Equal(SafeTensorsError.HeaderPastEnd, refused.Error);
    }

    [Fact]
    public void Parse_EverythingAtItsBoundAtOnce_IsLegalWithinItsMemory()
    {
        byte[] bytes = FileText.EverythingAtItsBound();

        (SafeTensorsHeader header, long allocated) = Measure(bytes, SafeTensorsLimits.MaxTensors);

        Assert.Equal((65_536, 8_192), (header.Tensors.Length, header.Metadata.Count));
        Assert.All(header.Tensors, tensor => Assert.Equal(8, tensor.Shape.Length));
        Assert.InRange(allocated, 1, FuzzRun.MaxAllocatedBytes - 1);
    }

    [Fact]
    public void Parse_SixteenMebibytesOfText_IsLegalPlainAndEscaped()
    {
        // As many escapes as the longest header holds: a little less than 16 Mi.
        const int EscapeCount = 16_666_600;
        string escapes = new StringBuilder().Insert(0, "\\u0041", EscapeCount).ToString();

        (SafeTensorsHeader plain, long allocatedPlain) = Measure(FileText.ManyTensors(1, 16 << 20), 1);
        (SafeTensorsHeader escaped, long allocatedEscaped) = Measure(
            Encoding.ASCII.GetBytes($"{{{FileText.Entry(escapes, "U8", "1", "0,1")}}}"), 1);

        Assert.Equal(16 << 20, plain.Tensors[0].Name.Length);
        Assert.Equal(EscapeCount, escaped.Tensors[0].Name.Length);
        Assert.InRange(allocatedPlain, 1, FuzzRun.MaxAllocatedBytes - 1);
        Assert.InRange(allocatedEscaped, 1, FuzzRun.MaxAllocatedBytes - 1);
    }

    [Theory]
    [InlineData("{\"a\":{\"shape\":[", "0,", SafeTensorsError.RankTooHigh)]
    [InlineData("{\"a\":{\"data_offsets\":[", "0,", SafeTensorsError.OffsetCount)]
    [InlineData("{\"a\":{\"shape\":", "[", SafeTensorsError.WrongJsonType)]
    [InlineData("{\"a\":", "[", SafeTensorsError.WrongJsonType)]
    [InlineData("{\"a\":", "{\"a\":", SafeTensorsError.UnknownField)]
    [InlineData("{", "\"a\":0,", SafeTensorsError.WrongJsonType)]
    [InlineData("{\"__metadata__\":{", "\"\":\"\",", SafeTensorsError.DuplicateKey)]
    [InlineData("{", " ", SafeTensorsError.InvalidJson)]
    [InlineData("{}", "\n", SafeTensorsError.TrailingBytes)]
    [InlineData("{\"a\":{\"shape\":[", "1", SafeTensorsError.InvalidJson)]
    [InlineData("{\"", "\\n", SafeTensorsError.InvalidJson)]
    public void Parse_EightyMegabytesOfSmallTokens_IsRefusedWithoutMemory(string start, string token, SafeTensorsError error)
    {
        byte[] header = new byte[EightyMegabytes];
        Encoding.ASCII.GetBytes(start, header);
        for (int i = start.Length; i < header.Length; i++) header[i] = (byte)token[(i - start.Length) % token.Length];
        long before = GC.GetAllocatedBytesForCurrentThread();

        SafeTensorsException refused = Assert.Throws<SafeTensorsException>(() => SafeTensorsHeader.Parse(header, 8 + header.Length));

        Assert.Equal(error, refused.Error);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(1_000_000)]
    public async Task ReadAsync_ShortReads_ReadTheHeaderAndNotAByteMore(int mostBytes)
    {
        byte[] file = FileText.File(FileText.ManyTensors(2_000, 8), 2_000);
        ShortReads stream = new(file, mostBytes);

        SafeTensorsHeader header = await SafeTensorsHeader.ReadAsync(stream, file.Length, TestContext.Current.CancellationToken);

        Assert.Equal(2_000, header.Tensors.Length);
        Assert.Equal(header.DataOffset, stream.Given);
    }

    [Fact]
    public async Task ReadAsync_AnnouncedLengthThatNeverComes_AllocatesByWhatCame()
    {
        byte[] start = new byte[1_000];
        BinaryPrimitives.WriteInt64LittleEndian(start, 99_000_000);
        long before = GC.GetAllocatedBytesForCurrentThread();

        // The stream completes at once, so all of it happens on this thread.
        Task<SafeTensorsHeader> reading = SafeTensorsHeader.ReadAsync(new ShortReads(start, 100), 100_000_000, TestContext.Current.CancellationToken);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.Equal(SafeTensorsError.StreamTooShort, (await Assert.ThrowsAsync<SafeTensorsException>(() => reading)).Error);
        Assert.InRange(allocated, 1, 256 << 10);
    }

    [Fact]
    public async Task ReadAsync_Cancelled_Throws()
    {
        byte[] file = FileText.File("{}", 0);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => SafeTensorsHeader.ReadAsync(new ShortReads(file, 1), file.Length, new CancellationToken(canceled: true)));
    }

    private static SafeTensorsHeader Parse(string header, int dataBytes)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(header);
        return SafeTensorsHeader.Parse(utf8, 8 + utf8.Length + dataBytes);
    }

    private static (SafeTensorsHeader Header, long AllocatedBytes) Measure(byte[] header, int dataBytes)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        SafeTensorsHeader parsed = SafeTensorsHeader.Parse(header, 8L + header.Length + dataBytes);
        return (parsed, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
