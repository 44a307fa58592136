using System.Text;
using System.Text.Json;
using CsCheck;
using TinyLlm.Text.Tests.Oracles;
using TinyLlm.Text.Unicode;

namespace TinyLlm.Text.Tests.Unicode;

public sealed class UnicodeFormTests
{
    private static readonly (string Name, NormalizationForm Form)[] Forms =
        [("NFC", NormalizationForm.FormC), ("NFD", NormalizationForm.FormD), ("NFKC", NormalizationForm.FormKC), ("NFKD", NormalizationForm.FormKD)];

    [Fact]
    public void Apply_EveryCodePointAndRunsOfMarks_EqualsJavaScript()
    {
        List<string> texts = [.. Enumerable.Range(0, 0x110000).Where(Rune.IsValid).Chunk(64)
            .Select(chunk => string.Concat(chunk.Select(point => "a" + new Rune(point))))];
        int[] marks = [0x300, 0x301, 0x323, 0x327, 0x345, 0x5B0, 0x93C, 0x3099, 0x1161, 0x11A8, 0x1D165, 0x1D16D];
        string[] bases = ["a", "E", "\u1100", "\uAC00", "\u304B", "\u0B47", "\u1E9B", "\uFB01", "\u2126"];
        Random random = new(11);
        for (int i = 0; i < 5_000; i++)
        {
            StringBuilder text = new(bases[random.Next(bases.Length)]);
            for (int n = random.Next(6); n > 0; n--) text.Append(new Rune(marks[random.Next(marks.Length)]));
            texts.Add(text.Append(bases[random.Next(bases.Length)]).ToString());
        }
        JsonElement answer = NodeOracle.Ask("normalize.mjs", new { texts });

        foreach ((string name, NormalizationForm form) in Forms)
        {
            for (int i = 0; i < texts.Count; i++) Assert.Equal(answer.GetProperty(name)[i].GetString(), UnicodeForm.Apply(texts[i], form));
        }
    }

    [Fact]
    public void Apply_KnownTexts_AreNormalized()
    {
        Assert.Equal("\u00E9", UnicodeForm.Apply("e\u0301", NormalizationForm.FormC));
        Assert.Equal("e\u0301", UnicodeForm.Apply("\u00E9", NormalizationForm.FormD));
        Assert.Equal("fi", UnicodeForm.Apply("\uFB01", NormalizationForm.FormKC));
        Assert.Equal("\u1100\u1161\u11A8", UnicodeForm.Apply("\uAC01", NormalizationForm.FormKD));
        Assert.Equal("\uAC01", UnicodeForm.Apply("\u1100\u1161\u11A8", NormalizationForm.FormC));
    }

    [Fact]
    public void Apply_Twice_ChangesNothingMore() =>
        Gen.Select(Gen.Int[0, 0x2FFFF].Where(point => Rune.IsValid(point)).Array[0, 20], Gen.Int[0, 3]).Sample((points, form) =>
        {
            string once = UnicodeForm.Apply(string.Concat(points.Select(point => new Rune(point).ToString())), Forms[form].Form);
            Assert.Equal(once, UnicodeForm.Apply(once, Forms[form].Form));
        }, iter: 5_000);

    [Fact]
    public void Apply_AMillionMarks_EndsSoon()
    {
        string marks = string.Concat(Enumerable.Repeat("\u0301\u0323", 500_000));

        Assert.Equal(new string('\u0323', 500_000) + new string('\u0301', 500_000), UnicodeForm.Apply(marks, NormalizationForm.FormD));
    }
}
