using System.Globalization;

namespace TinyLlm.Storage;

/// <summary>Host keys as files <c>host-1</c>, <c>host-2</c>, ... of 64 hex digits, mode 0600. The highest number is current.</summary>
internal sealed class HostKeyFolder(string folder) : HostKeySource
{
    private const string Prefix = "host-";

    public override IReadOnlyList<byte[]> Read()
    {
        if (Numbers().Count == 0) Add(); // the first start
        return [.. Numbers().Select(number => SecretFile.ReadOrCreateKey(PathOf(number), KeyWrap.KeyBytes, out _))];
    }

    /// <summary>Of two processes that do it at once both get the same key.</summary>
    public override void Add() => SecretFile.ReadOrCreateKey(PathOf(Numbers().LastOrDefault() + 1), KeyWrap.KeyBytes, out _);

    public override void RemoveOld()
    {
        foreach (int number in Numbers().SkipLast(1)) File.Delete(PathOf(number));
        FolderSync.Flush(folder);
    }

    private List<int> Numbers()
    {
        List<int> numbers = [];
        if (!Directory.Exists(folder)) return numbers;
        foreach (string path in Directory.EnumerateFiles(folder, Prefix + "*"))
        {
            if (int.TryParse(Path.GetFileName(path)[Prefix.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out int number)) numbers.Add(number);
        }
        numbers.Sort();
        return numbers;
    }

    private string PathOf(int number) => Path.Combine(folder, $"{Prefix}{number.ToString(CultureInfo.InvariantCulture)}");
}
