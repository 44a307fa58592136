using System.Buffers.Binary;
using System.Text;

namespace TinyLlm.SafeTensors.Tests.Fuzzing;

/// <summary>The files that mutation starts from: legal ones of every kind, near misses of every rule, and those that are heavy to read.</summary>
internal static class FuzzSeeds
{
    // Once in so many: reading one costs thousands of small ones.
    private const int HeavyRarity = 2_000;

    private static readonly string[] s_wireNames = [.. Enum.GetValues<DType>().Select(DTypes.WireName)];

    private static readonly string[] s_names =
    [
        "a", "b", "w", "model.layers.0.self_attn.q_proj.weight", "", "..", "a..b", "\\u0000", "\\ud800", "\\ud83d\\ude00", "😀", "é",
        "\\u00e9", "__metadata__", "__metadata\\u005f_", "dtype", "a b", "\\n", "\\\"", "\\\\", "/etc/passwd", "\\u202e", "\\u0061",
    ];

    private static readonly string[] s_oddHeaders =
    [
        "{}", "{}   ", " {}", "{}\n", "[]", "null", "", "{", "}", "{}{}", "{}x", "\ufeff{}", "{,}", """{"a":1}""", """{"a":null}""", """{"a":[]}""",
        """{"a":{}}""",
        """{"__metadata__":{}}""", """{"__metadata__":null}""", """{"__metadata__":[]}""", """{"__metadata__":{"k":1}}""",
        """{"__metadata__":{"k":{}}}""",
        """{"__metadata__":{"k":"v","k":"w"}}""", """{"__metadata__":{"k":"v","\u006b":"w"}}""", """{"__metadata__":{},"__metadata__":{}}""",
        """{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":0}}""", """{"a":{"dtype":"U8","shape":[1]}}""",
        """{"a":{"dtype":8,"shape":[1],"data_offsets":[0,1]}}""",
        """{"a":{"dtype":"U8","shape":1,"data_offsets":[0,1]}}""", """{"a":{"dtype":"U8","shape":[[1]],"data_offsets":[0,1]}}""",
        """{"a":{"dtype":"U8","shape":[-0],"data_offsets":[0,0]}}""", """{"a":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}}""",
        """{"a":{"dtype":"U8","shape":[1e0],"data_offsets":[0,1]}}""", """{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}}""",
        """{"a":{"dtype":"U8","shape":[281474976710656,0],"data_offsets":[0,0]}}""",
        """{"a":{"dtype":"U8","shape":[281474976710655,0],"data_offsets":[0,0]}}""",
        """{"a":{"dtype":"U8","shape":[281474976710655,281474976710655,0],"data_offsets":[0,0]}}""",
        """{"a":{"dtype":"U8","shape":[0,281474976710655,281474976710655],"data_offsets":[0,0]}}""",
        """{"a":{"dtype":"F64","shape":[281474976710655,65536],"data_offsets":[0,0]}}""", """{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,1]}}""",
        """{"a":{"dtype":"U8","shape":[1,1,1,1,1,1,1,1],"data_offsets":[0,1]}}""",
        """{"a":{"dtype":"U8","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,1]}}""",
        """{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,0]}}""", """{"a":{"dtype":"U8","shape":[1],"data_offsets":[0]}}""",
        """{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,1]}}""",
        """{"a":{"dtype":"u8","shape":[1],"data_offsets":[0,1]}}""", """{"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}}""",
        """{"a":{"dtype":"U8","\u0064type":"U8","shape":[1],"data_offsets":[0,1]}}""",
        """{"a":{"\u0064type":"\u00558","shape":[1],"data_offsets":[0,1]}}""",
        """{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"\u0061":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}""",
        """{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},}""", """{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}/**/}""",
    ];

    private static readonly Lazy<byte[][]> s_heavy = new(() =>
    [
        Many(SafeTensorsLimits.MaxTensors, nameLength: 1),
        Many(SafeTensorsLimits.MaxTensors + 1, nameLength: 1),
        Many(SafeTensorsLimits.MaxTensors, SafeTensorsLimits.MaxTextBytes / SafeTensorsLimits.MaxTensors),
        Many(SafeTensorsLimits.MaxTensors, (SafeTensorsLimits.MaxTextBytes / SafeTensorsLimits.MaxTensors) + 1),
        Many(1, SafeTensorsLimits.MaxTextBytes),
        Many(16, SafeTensorsLimits.MaxTextBytes / 16),
        FileText.File(FileText.ManyMetadataEntries(SafeTensorsLimits.MaxMetadataEntries, 2_000), 0),
        FileText.File(FileText.EverythingAtItsBound(), SafeTensorsLimits.MaxTensors),
        FileText.File(FileText.ManyMetadataEntries(SafeTensorsLimits.MaxMetadataEntries + 1, 1), 0),
    ]);

    /// <summary>How many heavy files there are.</summary>
    public static int HeavyCount => s_heavy.Value.Length;

    /// <summary>A heavy file, to be copied before it is changed.</summary>
    public static byte[] Heavy(int index) => s_heavy.Value[index];

    /// <summary>A file to mutate, owned by the caller.</summary>
    public static byte[] Next(FuzzRandom random)
    {
        if (random.OnceIn(HeavyRarity)) return [.. random.Pick(s_heavy.Value)];
        return random.Below(100) switch
        {
            < 55 => Legal(random, tensors: random.Below(7)),
            < 56 => Legal(random, tensors: 100 + random.Below(500)),
            < 80 => FileText.File(random.Pick(s_oddHeaders), random.Below(3)),
            < 85 => DeepNesting(random),
            < 88 => DeclaredLength(random),
            < 90 => LongName(random),
            _ => TokenSoup(random),
        };
    }

    private static byte[] Many(int tensors, int nameLength) => FileText.File(FileText.ManyTensors(tensors, nameLength), tensors);

    private static byte[] Legal(FuzzRandom random, int tensors)
    {
        List<string> entries = [];
        int end = 0;
        for (int i = 0; i < tensors; i++)
        {
            int rank = random.Below(random.OnceIn(10) ? SafeTensorsLimits.MaxRank + 1 : 4);
            long[] shape = [.. Enumerable.Range(0, rank).Select(_ => (long)(random.OnceIn(12) ? 0 : 1 << random.Below(3)))];
            string dtype = random.Pick(s_wireNames);
            int elementBits = DTypes.FromWireName(dtype)!.Value.BitsPerElement();
            int bits = (int)shape.Aggregate((long)elementBits, static (product, dimension) => product * dimension);
            // Once in a while a tensor moves away from its place, and leaves a hole or an overlap.
            int begin = Math.Max(0, end + (random.OnceIn(20) ? random.Below(7) - 3 : 0));
            end = begin + (bits / 8);
            string name = random.OnceIn(4) ? random.Pick(s_names) : $"t{i}";
            entries.Add(FileText.Entry(name, dtype, string.Join(",", shape), $"{begin},{end}"));
        }
        if (random.OnceIn(3)) entries.Add("""
            "__metadata__":{"format":"pt","note":"\u00e9\n"}
            """.Trim());
        if (random.OnceIn(2)) entries = [.. entries.OrderBy(_ => random.Next())];
        return FileText.File($"{{{string.Join(random.OnceIn(4) ? " ,\n" : ",", entries)}}}{new string(' ', random.Below(9))}", end);
    }

    private static byte[] DeepNesting(FuzzRandom random)
    {
        int depth = 1 + random.Below(random.OnceIn(10) ? 20_000 : 100);
        string open = random.Pick(["[", """{"a":""", """{"__metadata__":""", """{"a":{"shape":["""]);
        string close = open[0] == '[' ? "]" : open.Contains('[', StringComparison.Ordinal) ? "]}}" : "}";
        StringBuilder header = new(random.Pick(["{\"a\":", "{\"a\":{\"dtype\":", "{\"a\":{\"shape\":[", "{\"__metadata__\":{\"k\":", ""]));
        header.Insert(header.Length, open, depth);
        if (random.OnceIn(2)) header.Insert(header.Length, close, depth);
        return FileText.File(header.ToString(), 0);
    }

    private static byte[] DeclaredLength(FuzzRandom random)
    {
        byte[] file = Legal(random, tensors: 1);
        ulong length = random.Below(6) switch
        {
            0 => SafeTensorsLimits.MaxHeaderBytes,
            1 => SafeTensorsLimits.MaxHeaderBytes + 1,
            2 => ulong.MaxValue,
            3 => 1UL << 63,
            4 => ulong.MaxValue - 7,
            _ => (ulong)random.Below(2 * file.Length),
        };
        BinaryPrimitives.WriteUInt64LittleEndian(file, length);
        return file;
    }

    private static byte[] LongName(FuzzRandom random)
    {
        string piece = random.Pick(["x", "\\u0041", "é", "\\ud83d\\ude00", "\\n", "."]);
        string name = new StringBuilder().Insert(0, piece, 1 + random.Below(8_000)).ToString();
        return FileText.File($"{{{FileText.Entry(name, "U8", "1", "0,1")}}}", 1);
    }

    private static byte[] TokenSoup(FuzzRandom random)
    {
        string[] tokens =
        [
            "{", "}", "[", "]", ",", ":", "\"a\"", "\"dtype\"", "\"shape\"", "\"data_offsets\"", "\"__metadata__\"", "\"U8\"",
            "0", "1", "-0", "1e1", "null", "true", " ", "\n",
            "\"a\":{\"dtype\":\"U8\",\"shape\":[", "],\"data_offsets\":[", "0,1]}", "\"\\ud800\"", "\"", "\\",
        ];
        StringBuilder header = new("{");
        for (int i = random.Below(16); i > 0; i--) header.Append(random.Pick(tokens));
        return FileText.File(header.Append(random.OnceIn(2) ? "}" : "").ToString(), random.Below(3));
    }
}
