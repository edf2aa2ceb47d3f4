# Metadata: the config drive when there is one, else HTTP. Leaves /run/meta_data.json and /run/user_data.
METADATA_URL=http://169.254.169.254/openstack/latest

# mount_config_drive: finds the drive by its label, iso9660 or vfat, on any bus.
mount_config_drive() {
  drive=$(findfs LABEL=config-2 2>/dev/null) || drive=$(findfs LABEL=CONFIG-2 2>/dev/null) || return 1
  mount -o ro "$drive" /mnt/config 2>/dev/null || return 1
  say "config drive $drive ($(awk '$2 == "/mnt/config" { print $3 }' /proc/mounts))"
}

# http_get NAME FILE: busybox's own -T option is unusable in a static build, so `timeout` bounds it.
http_get() {
  timeout 10 wget -q -O "$2" "$METADATA_URL/$1" 2>/dev/null || { rm -f "$2"; return 1; }
}

fetch_metadata() {
  if [ -e /mnt/config/openstack/latest/meta_data.json ]; then
    cp /mnt/config/openstack/latest/meta_data.json /run/meta_data.json
    cp /mnt/config/openstack/latest/user_data /run/user_data 2>/dev/null
    METADATA_SOURCE=configdrive
    return
  fi
  METADATA_SOURCE=none
  ip route get 169.254.169.254 > /dev/null 2>&1 || return
  for attempt in 1 2 3; do
    if http_get meta_data.json /run/meta_data.json; then
      METADATA_SOURCE=http
      http_get user_data /run/user_data
      return
    fi
    sleep 1
  done
}

# set_password TEXT: for root; without one, root logs in by key or on the console only.
set_password() {
  hash=$(mkpasswd -m sha512 "$1") && sed -i "s|^root:[^:]*:|root:$hash:|" /etc/shadow
}

# apply_metadata FLAT: host name, ssh keys and admin password.
apply_metadata() {
  name=$(json_get "$1" hostname)
  [ -n "$name" ] && hostname "${name%%.*}" && echo "127.0.1.1 $name ${name%%.*}" >> /etc/hosts
  say "metadata source=$METADATA_SOURCE uuid=$(json_get "$1" uuid) hostname=${name:-none}"
  mkdir -p -m 700 /root/.ssh
  awk -F '\t' '$1 ~ /^public_keys\./ { sub(/ +$/, "", $2); print $2 }' "$1" > /root/.ssh/authorized_keys
  chmod 600 /root/.ssh/authorized_keys
  while read -r key; do say "authorized key: $key"; done < /root/.ssh/authorized_keys
  password=$(json_get "$1" admin_pass)
  [ -n "$password" ] && set_password "$password" && say "admin password set"
}

# run_user_data: runs it when it is a script; its output goes to the console as it is.
run_user_data() {
  [ -s /run/user_data ] || return
  [ "$(head -c 2 /run/user_data)" = '#!' ] || { say "user data is no script, ignored"; return; }
  chmod 700 /run/user_data
  say "user data begins"
  /run/user_data > /dev/console 2>&1
  say "user data ended status=$?"
}
