using TinyLlm.Storage;

namespace TinyLlm.Host.Secrets;

/// <summary>Secrets as files of the data folder, or of the folder that the processes of a cluster share; made on the first start.</summary>
internal sealed class SecretFiles(DataFolder data) : HostSecrets
{
    public override HostKeyRing OpenHostKeys() => HostKeyRing.Open(data.KeysPath);

    public override string Read(string name, Func<string> create) => SecretFile.ReadOrCreate(PathOf(name), create).Value;

    public override byte[] ReadKey(string name, int byteCount) => SecretFile.ReadOrCreateKey(PathOf(name), byteCount, out _);

    private string PathOf(string name) => name == AdminToken ? data.AdminTokenPath : data.KeyPath(name);
}
