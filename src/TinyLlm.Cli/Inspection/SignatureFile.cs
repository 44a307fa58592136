using TinyLlm.Storage;

namespace TinyLlm.Cli.Inspection;

/// <summary>Signatures and public keys in local files, bounded before they are read.</summary>
internal static class SignatureFile
{
    public static SignatureBundle Read(string path)
    {
        if (!File.Exists(path)) throw new UsageException($"there is no signature at '{path}': name it with --signature");
        if (new FileInfo(path).Length > SignatureBundle.MaxBytes) throw new UsageException($"'{path}' is longer than any signature ({SignatureBundle.MaxBytes} bytes)");
        return SignatureBundle.Parse(File.ReadAllBytes(path));
    }

    public static VerifyingKey ReadKey(string path)
    {
        if (!File.Exists(path)) throw new UsageException($"there is no public key at '{path}'");
        string text = new FileInfo(path).Length <= VerifyingKey.MaxPemChars ? File.ReadAllText(path) : "";
        return VerifyingKey.TryParsePem(text, out VerifyingKey? key)
            ? key
            : throw new UsageException($"'{path}' is not the public key of a signer: it must be PEM, of curve P-256, P-384 or P-521; 'openssl pkey -in KEY -pubout' writes it of a private key, 'openssl pkey -pubin -in KEY' of one in DER");
    }
}
